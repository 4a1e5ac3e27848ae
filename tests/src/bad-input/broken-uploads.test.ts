import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import {
  expectNothingLeft,
  expectServing,
  faultOf,
  filePath,
  namelessFiles,
  onEachIsolation,
  openSocket,
  rawExchange,
  useDaemon,
  useSandbox,
  waitFor,
} from '../harness/index.ts';

const idleSeconds = 3;
const used = useDaemon({ args: ['--idle-timeout-seconds', String(idleSeconds)] });
const path = '/workspace/target';
const digestOf = (bytes: Uint8Array | string) =>
  `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);
  const old = randomBytes(100_000);

  beforeEach(async () => {
    if (!used.daemon.isolations.includes(isolation)) return;
    await used.api.write(box.id, path, old);
    // The file that this replaced stays open for a moment; the tests below look for one of their own.
    await waitFor(() => namelessFiles(used.daemon.pid).length === 0);
  });

  const expectOld = async () => {
    expect((await used.api.read(box.id, path)).equals(old)).toBe(true);
    await expectNothingLeft(used, box.id);
  };

  const head = (fields: string, target = path) =>
    `PUT ${filePath(box.id, '', target)} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${used.daemon.apiKey}\r\n${fields}\r\n\r\n`;

  test('a body shorter than announced, then the end of it: 400, the old file stays', async () => {
    const socket = await openSocket(used.daemon.url);
    let text = '';
    socket.on('data', (part) => (text += part.toString()));
    socket.write(`${head('Content-Length: 50000')}${'n'.repeat(20_000)}`);
    await waitFor(() => namelessFiles(used.daemon.pid).length > 0);
    socket.end();
    await waitFor(() => socket.closed, { what: 'the end of the connection' });
    // The daemon may cut what it cannot read to the end; when it answers, it says why.
    if (text !== '') expect(text).toMatch(/^HTTP\/1.1 400 [^]*"code":"incomplete_body"/);
    await expectOld();
  });

  test('a client that vanishes after half of a large file: the old file stays', async () => {
    const socket = await openSocket(used.daemon.url);
    const requestId = `vanishes-on-${isolation}`;
    socket.write(head(`Content-Length: 100000000\r\nX-Request-Id: ${requestId}`));
    for (let part = 0; part < 50; part++)
      await new Promise((resolve) => socket.write(randomBytes(1_000_000), resolve));
    await waitFor(() => namelessFiles(used.daemon.pid).length > 0);
    socket.resetAndDestroy();
    await waitFor(async () =>
      (await used.daemon.log()).some(
        ({ id, aborted, bytes_in }) =>
          id === requestId && aborted === true && Number(bytes_in) > 1_000_000,
      ),
    );
    await expectOld();
  });

  test('a client that vanishes leaves no new file, but may leave the new parents', async () => {
    const socket = await openSocket(used.daemon.url);
    socket.write(`${head('Content-Length: 9000', '/workspace/parent/new')}half`);
    await waitFor(() => namelessFiles(used.daemon.pid).length > 0);
    socket.destroy();
    await expectNothingLeft(used, box.id);
    faultOf(await used.api.open(box.id, '/workspace/parent/new'), 'file_not_found');
    expect(await used.api.names(box.id, '/workspace/parent')).toEqual([]);
  });

  test('chunks that end too early, or are none: 400, the old file stays', async () => {
    const chunked = head('Transfer-Encoding: chunked');
    const broken = await rawExchange(used.daemon.url, `${chunked}5\r\nhello\r\nxyz\r\n`);
    expect(broken.status).toBe(400);
    await expectOld();
    const socket = await openSocket(used.daemon.url);
    socket.resume().write(`${chunked}5\r\nhello\r\n`);
    await waitFor(() => namelessFiles(used.daemon.pid).length > 0);
    socket.end();
    await waitFor(() => socket.closed);
    await expectOld();
  });

  test('a client that stops sending is given up: 408, the old file stays', async () => {
    const answer = await rawExchange(used.daemon.url, `${head('Content-Length: 50000')}begin`);
    expect(answer.status).toBe(408);
    expect(JSON.parse(answer.body)).toMatchObject({
      code: 'request_timeout',
      error: expect.stringContaining(path),
    });
    await expectOld();
  });

  test('a client that sends slowly is not', async () => {
    const socket = await openSocket(used.daemon.url);
    let text = '';
    socket.on('data', (part) => (text += part.toString()));
    socket.write(head('Content-Length: 8'));
    const startedAt = performance.now();
    for (const letter of 'slow one') {
      await sleep(500);
      socket.write(letter);
    }
    expect(performance.now() - startedAt).toBeGreaterThan(idleSeconds * 1000);
    await waitFor(() => text.includes('\r\n\r\n{'));
    expect(text).toMatch(/^HTTP\/1.1 200 /);
    socket.destroy();
    expect((await used.api.read(box.id, path)).toString()).toBe('slow one');
  });

  test('a digest that does not fit is 400, as header and as trailer', async () => {
    const body = randomBytes(300_000);
    const wrong = digestOf('other');
    for (const options of [
      { headers: { 'Repr-Digest': wrong } },
      { trailers: { 'Repr-Digest': wrong } },
    ]) {
      const fault = faultOf(await used.api.put(box.id, path, body, options), 'digest_mismatch');
      expect(fault).toMatchObject({ path, expected: wrong, received: digestOf(body) });
      expect(fault.error).toContain(path);
      await expectOld();
    }
  });

  test('a digest that is none is 400', async () => {
    for (const digest of ['sha-256=:c2hvcnQ=:', 'sha-256=::']) {
      const headers = { 'Repr-Digest': digest };
      faultOf(await used.api.put(box.id, path, 'x', { headers }), 'invalid_request');
    }
    await expectOld();
  });

  test('a digest that fits is taken, as header and as trailer, and given back', async () => {
    for (const how of ['headers', 'trailers'] as const) {
      const body = randomBytes(300_000);
      const answer = await used.api.put(box.id, path, body, {
        [how]: { 'Repr-Digest': digestOf(body) },
      });
      expect(answer.status).toBe(200);
      expect(answer.headers['repr-digest']).toBe(digestOf(body));
      expect((await used.api.read(box.id, path)).equals(body)).toBe(true);
    }
  });

  test('a client that asks first (Expect) is refused before it sends', async () => {
    const request = head('Content-Length: 1000000\r\nExpect: 100-continue', '/proc/version');
    const refused = await rawExchange(used.daemon.url, request);
    expect(refused.status).toBe(409);
    expect(refused.head).not.toMatch(/100 Continue/);
  });

  test('a refused upload still gets its answer, however much of it is on the way', async () => {
    const body = Buffer.alloc(50_000_000);
    faultOf(await used.api.put(box.id, '/proc/version', body), 'not_a_regular_file');
    faultOf(await used.api.put(box.id, '/tmp', body), 'is_directory');
    faultOf(await used.api.put('no-such-sandbox', path, body), 'sandbox_not_found');
    await expectOld();
  });

  test('the directory is removed during the upload: 404, nothing is left', async () => {
    const target = '/workspace/vanishing/file';
    const socket = await openSocket(used.daemon.url);
    let text = '';
    socket.on('data', (part) => (text += part.toString()));
    socket.write(`${head('Content-Length: 10', target)}12345`);
    await waitFor(() => namelessFiles(used.daemon.pid).length > 0);
    await used.api.asRoot(box.id, 'rm -r /workspace/vanishing');
    socket.write('67890');
    await waitFor(() => text.includes('\r\n\r\n{'));
    expect(text).toMatch(/^HTTP\/1.1 404 [^]*"code":"file_not_found"/);
    socket.destroy();
    await expectNothingLeft(used, box.id);
  });

  test('a sandbox that is killed during uploads takes them with it, and nothing else', async () => {
    const doomed = await used.api.create({ isolation });
    const sockets = await Promise.all(Array.from({ length: 5 }, () => openSocket(used.daemon.url)));
    for (const [index, socket] of sockets.entries())
      socket.write(
        head('Content-Length: 50000', `/tmp/${index}`).replace(box.id, doomed.id).concat('begin'),
      );
    await waitFor(() => namelessFiles(used.daemon.pid).length === 5);
    await used.api.kill(doomed.id);
    for (const socket of sockets) socket.write('x'.repeat(49_995));
    await waitFor(() => namelessFiles(used.daemon.pid).length === 0);
    for (const socket of sockets) socket.destroy();
    faultOf(await used.api.open(doomed.id, '/tmp/0'), 'sandbox_not_found');
    await expectServing(used, box.id);
  });
});
