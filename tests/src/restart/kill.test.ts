import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  type CreatedSandbox,
  expectNothingLeft,
  filePath,
  openSocket,
  sandboxProcess,
  signal,
  startDaemon,
  type TestDaemon,
  useDaemon,
  waitFor,
  waitForOnly,
} from '../harness/index.ts';

const used = useDaemon();
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

interface Upload {
  readonly sandbox: string;
  readonly path: string;
  readonly old: string;
  readonly new: string;
  answered: boolean;
}

/** Sends `body` in small pieces over about `durationMs`. */
async function uploadSlowly(
  { url, apiKey }: TestDaemon,
  upload: Upload,
  body: Buffer,
  durationMs: number,
): Promise<void> {
  const socket: Socket = await openSocket(url);
  let answer = '';
  socket.on('data', (part) => {
    answer += part.toString();
    upload.answered = answer.startsWith('HTTP/1.1 200 ') && answer.includes('"bytes"');
  });
  const head = `PUT ${filePath(upload.sandbox, '', upload.path)} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${apiKey}\r\nContent-Length: ${body.length}\r\n\r\n`;
  socket.write(head);
  const pieces = 40;
  const size = Math.ceil(body.length / pieces);
  for (let at = 0; at < body.length && !socket.destroyed; at += size) {
    socket.write(body.subarray(at, at + size));
    await sleep(durationMs / pieces);
  }
}

const makeSandboxes = (fields = {}): Promise<CreatedSandbox[]> =>
  Promise.all(used.daemon.isolations.map((isolation) => used.api.create({ isolation, ...fields })));

test('kill -9 during 20 uploads and commands: files are whole, sandboxes and commands live on', async () => {
  const { api, daemon } = used;
  const sandboxes = await makeSandboxes({ metadata: { job: 'restart' }, env: { KEPT: 'yes' } });
  const uploads: Upload[] = [];
  const bodies: Buffer[] = [];
  for (let index = 0; index < 20; index++) {
    const sandbox = sandboxes[index % sandboxes.length]?.id ?? '';
    const path = `/workspace/file-${index}`;
    const [old, body] = [randomBytes(500_000), randomBytes(4_000_000)];
    await api.write(sandbox, path, old);
    uploads.push({ sandbox, path, old: digest(old), new: digest(body), answered: false });
    bodies.push(body);
  }
  const commands = sandboxes.map(({ id }) =>
    api
      .exec(
        id,
        'touch /workspace/began; until [ -e /workspace/go ]; do sleep 0.1; done; echo done > /workspace/effect',
      )
      .then(
        () => 'answered',
        () => 'cut',
      ),
  );
  await waitFor(async () => {
    const answers = await Promise.all(
      sandboxes.map(({ id }) => api.statAnswer(id, '/workspace/began')),
    );
    return answers.every(({ status }) => status === 200);
  });
  // Some end before the kill, some with it, most are in the middle.
  const sending = uploads.map((upload, index) =>
    uploadSlowly(daemon, upload, bodies[index] ?? Buffer.alloc(0), 300 + index * 100),
  );
  await waitFor(() => uploads.some(({ answered }) => answered), { what: 'the first answer' });
  const keyBefore = daemon.apiKey;
  await daemon.kill9();
  await Promise.all(sending);
  expect(await Promise.all(commands)).toEqual(sandboxes.map(() => 'cut'));

  await daemon.start();
  const after = used.daemon.api;
  expect(daemon.apiKey).toBe(keyBefore);
  const listed = await after.list();
  expect(new Set(listed.map(({ id }) => id))).toEqual(new Set(sandboxes.map(({ id }) => id)));
  const counts = { old: 0, new: 0 };
  for (const upload of uploads) {
    const now = digest(await after.read(upload.sandbox, upload.path));
    expect([upload.old, upload.new], upload.path).toContain(now);
    if (upload.answered) expect(now, `${upload.path} was answered with 200`).toBe(upload.new);
    counts[now === upload.new ? 'new' : 'old'] += 1;
  }
  expect(counts.old).toBeGreaterThan(0);
  expect(counts.new).toBeGreaterThan(0);
  for (const before of sandboxes) {
    expect(await after.get(before.id)).toEqual(before);
    const echo = await after.exec(before.id, 'echo $KEPT; ls -A /workspace | grep -v ^file-');
    expect(echo).toMatchObject({ exit_code: 0, stderr: '' });
    expect(echo.stdout).toBe('yes\nbegan\n');
    await after.write(before.id, '/workspace/go', '');
    await waitFor(async () => (await after.open(before.id, '/workspace/effect')).status === 200);
    expect((await after.read(before.id, '/workspace/effect')).toString()).toBe('done\n');
    await expectNothingLeft(used, before.id);
  }
  await Promise.all(sandboxes.map(({ id }) => after.kill(id)));
  await waitForOnly(daemon, []);
});

test('kill -9 during creates and deletes: what is left is whole, the rest is gone', async () => {
  const { daemon } = used;
  const doomed = await Promise.all([makeSandboxes(), makeSandboxes(), makeSandboxes()]);
  const kept = await makeSandboxes();
  const work = [
    ...doomed.flat().map(({ id }) => used.api.kill(id)),
    ...Array.from({ length: 6 }, (_, index) =>
      used.api.create({ isolation: daemon.isolations[index % daemon.isolations.length] }),
    ),
  ].map((promise) => promise.catch(() => undefined));
  await sleep(250);
  await daemon.kill9();
  await Promise.all(work);
  await daemon.start();
  const listed = await used.api.list();
  expect(listed.map(({ id }) => id)).toEqual(expect.arrayContaining(kept.map(({ id }) => id)));
  await waitForOnly(
    daemon,
    listed.map(({ id }) => id),
  );
  for (const { id, status } of listed) {
    expect(status).toBe('running');
    expect((await used.api.exec(id, 'echo whole')).stdout).toBe('whole\n');
  }
  await daemon.killSandboxes();
  await waitForOnly(daemon, []);
});

test('a sandbox that died while no daemon ran is failed, and its files are there', async () => {
  const { daemon } = used;
  const sandboxes = await makeSandboxes();
  for (const { id } of sandboxes) await used.api.write(id, '/workspace/kept', id);
  const processes = sandboxes.map(({ id }) => sandboxProcess(daemon, id));
  await daemon.kill9();
  for (const each of processes) signal(each, 'SIGKILL');
  await daemon.start();
  for (const { id } of sandboxes) {
    expect(await used.api.get(id)).toMatchObject({ status: 'failed' });
    expect((await used.api.read(id, '/workspace/kept')).toString()).toBe(id);
    await used.api.write(id, '/workspace/new', 'x');
  }
  await daemon.killSandboxes();
  await waitForOnly(daemon, []);
});

test('a time to live that ran out while no daemon ran ends the sandbox at the next start', async () => {
  const { daemon } = used;
  const { id, expires_at = '' } = await used.api.create({ ttl_seconds: 3 });
  await daemon.kill9();
  await waitFor(() => Date.now() > Date.parse(expires_at), { what: 'the end of its time' });
  await daemon.start();
  await waitFor(async () => (await used.api.send('GET', `/v1/sandboxes/${id}`)).status === 404);
  await waitForOnly(daemon, []);
});

test('a second daemon on the same data directory is refused with a sentence', async () => {
  await expect(startDaemon({ dataDir: used.daemon.dataDir })).rejects.toThrow(
    /sandport: Another daemon uses the data directory .*; stop it, or name another with --data-dir\./,
  );
  expect(await used.api.list()).toEqual([]);
});
