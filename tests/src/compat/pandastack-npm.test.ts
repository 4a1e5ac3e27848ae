import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AuthError, Client, NotFoundError, Sandbox } from '@pandastack/sdk';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  isolationsHere,
  repoDir,
  startDaemon,
  type TestDaemon,
  testRun,
  waitFor,
} from '../harness/index.ts';

// The unmodified npm package @pandastack/sdk@0.9.0. It cannot name an isolation, so that each one
// has a daemon of its own. A miss takes it 200 ms more: it asks a second time.
const here = await isolationsHere();
const pandastackBin = join(repoDir, 'node_modules/@pandastack/sdk/dist/cli.js');

describe.each(['gvisor', 'container'] as const)('@pandastack/sdk on %s', (isolation) => {
  const works = here.includes(isolation);
  let daemon: TestDaemon;
  let client: Client;
  let sandbox: Sandbox;
  let local: string;

  beforeEach((context) => {
    if (!works) context.skip(`${isolation} does not work on this machine; see \`sandport doctor\``);
  });
  beforeAll(async () => {
    if (!works) return;
    local = mkdtempSync(join(testRun().tempDir, 'pandastack-'));
    daemon = await startDaemon({ isolation });
    client = new Client({ apiUrl: daemon.url, apiKey: daemon.apiKey });
    sandbox = await Sandbox.create({ template: 'ubuntu-24.04' }, client);
  });
  afterAll(async () => {
    if (!works) return;
    await daemon[Symbol.asyncDispose]();
    await rm(local, { recursive: true });
  });

  test('create, get and list give the sandbox', async () => {
    expect(sandbox.status).toBe('running');
    expect(sandbox.id).toMatch(/^[0-9a-f-]{36}$/);
    expect((await Sandbox.get(sandbox.id, client)).id).toBe(sandbox.id);
    expect((await Sandbox.list(client)).map(({ id }) => id)).toContain(sandbox.id);
  });

  test('write and read', async () => {
    const files = sandbox.filesystem;
    expect(await files.write('/workspace/a b é.txt', 'hello\n')).toMatchObject({
      path: '/workspace/a b é.txt',
      bytes: 6,
    });
    expect(await files.read('/workspace/a b é.txt')).toBe('hello\n');
    expect(await files.write('/workspace/deep/er/empty', '')).toMatchObject({ bytes: 0 });
    await files.write(
      '/workspace/bytes',
      Uint8Array.from({ length: 256 }, (_, index) => index),
    );
    const { stdout } = await sandbox.exec("od -An -tu1 -v /workspace/bytes | tr -s ' \\n' '  '");
    expect(stdout.trim()).toBe(Array.from({ length: 256 }, (_, index) => index).join(' '));
  });

  test('upload and download of text', async () => {
    await writeFile(join(local, 'local.csv'), 'a,b\n1,2\n');
    const up = await sandbox.filesystem.upload(join(local, 'local.csv'), '/workspace/data.csv');
    expect(up).toMatchObject({ path: '/workspace/data.csv', bytes: 8 });
    await sandbox.filesystem.download('/workspace/data.csv', join(local, 'new/out.csv'));
    expect(await readFile(join(local, 'new/out.csv'), 'utf8')).toBe('a,b\n1,2\n');
  });

  test('bytes that are not text are changed by the package itself', async () => {
    await sandbox.filesystem.write('/workspace/binary', new Uint8Array([0xff, 0xfe]));
    await sandbox.filesystem.download('/workspace/binary', join(local, 'binary'));
    const answer = await fetch(
      `${daemon.url}/v1/sandboxes/${sandbox.id}/fs?path=/workspace/binary`,
      { headers: { authorization: `Bearer ${daemon.apiKey}` } },
    );
    expect([...new Uint8Array(await answer.arrayBuffer())]).toEqual([0xff, 0xfe]);
    // It decodes the answer as UTF-8 and encodes it again.
    expect(await readFile(join(local, 'binary'), 'utf8')).toBe('\uFFFD\uFFFD');
  });

  test('list, stat, exists and walk', async () => {
    const files = sandbox.filesystem;
    await files.write('/workspace/tree/sub/b.txt', 'bb');
    await files.write('/workspace/tree/a.txt', 'a');
    const entries = await files.list('/workspace/tree');
    expect(entries.map(({ name, is_dir, size }) => [name, is_dir, is_dir ? 0 : size])).toEqual([
      ['a.txt', false, 1],
      ['sub', true, 0],
    ]);
    expect(await files.stat('/workspace/tree/a.txt')).toMatchObject({
      name: 'a.txt',
      path: '/workspace/tree/a.txt',
      is_dir: false,
      size: 1,
      mode: 'f',
      mtime: expect.any(Number),
    });
    expect(await files.exists('/workspace/tree/sub')).toBe(true);
    expect(await files.exists('/workspace/tree/none')).toBe(false);
    const seen: string[] = [];
    for await (const step of files.walk('/workspace/tree'))
      seen.push(`${step.dir}: ${step.files.map(({ name }) => name).join(' ')}`);
    expect(seen).toEqual(['/workspace/tree: a.txt', '/workspace/tree/sub: b.txt']);
  });

  test('exec, commands.run and execStream', async () => {
    expect(await sandbox.exec('echo out; echo err >&2; exit 3')).toMatchObject({
      stdout: 'out\n',
      stderr: 'err\n',
      exit_code: 3,
      exitCode: 3,
    });
    expect((await sandbox.commands.run('echo $((6 * 7))')).stdout).toBe('42\n');
    expect((await sandbox.exec('sleep 30', { timeoutSeconds: 1 })).exitCode).toBeGreaterThan(128);
    const seen: string[] = [];
    const exitCode = await sandbox.execStream("printf 'é€\\n'; sleep 0.2; echo e >&2; exit 5", {
      onStdout: (chunk) => seen.push(`out ${chunk}`),
      onStderr: (chunk) => seen.push(`err ${chunk}`),
    });
    expect(exitCode).toBe(5);
    expect(seen).toEqual(['out é€\n', 'err e\n']);
    expect(await sandbox.runCode('print(1 + 1)', 'python')).toMatchObject({ stdout: '2\n' });
  });

  test('its command line opens a shell: keys go in, what is shown comes out', async () => {
    const child = spawn(process.execPath, [pandastackBin, 'sandbox', 'ssh', sandbox.id], {
      env: { PANDASTACK_API: daemon.url, PANDASTACK_API_KEY: daemon.apiKey, HOME: local },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = once(child, 'close');
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
    });
    await waitFor(() => shown.includes('$ '), { what: 'a prompt' });
    child.stdin.write('echo $((40 + 2)); tty; stty size; exit 3\r');
    await ended;
    expect(shown).toMatch(/42\r\n\/dev\/pts\/\d+\r\n24 80\r\n/);
  });

  test('volumes are mounted at /mnt/NAME', async () => {
    const volumes = [{ name: 'training-data', readOnly: true }];
    const reader = await Sandbox.create({ template: 'base', volumes }, client);
    const { stdout } = await reader.exec('touch /mnt/training-data/x 2>&1 || ls -d /mnt/*');
    expect(stdout).toMatch(/Read-only file system\n\/mnt\/training-data\n$/);
    await reader.kill();
  });

  test('errors have their classes', async () => {
    await expect(sandbox.filesystem.read('/workspace/none')).rejects.toThrow(NotFoundError);
    await expect(sandbox.filesystem.stat('/workspace/none')).rejects.toThrow(NotFoundError);
    const stranger = new Client({ apiUrl: daemon.url, apiKey: 'pds_0' });
    await expect(Sandbox.list(stranger)).rejects.toThrow(AuthError);
  });

  test('kill ends it', async () => {
    await sandbox.kill();
    await expect(Sandbox.get(sandbox.id, client)).rejects.toThrow(NotFoundError);
    // The second kill is an error of the package's own making for a sandbox that is gone.
    await expect(sandbox.kill()).rejects.toThrow(NotFoundError);
  });
});
