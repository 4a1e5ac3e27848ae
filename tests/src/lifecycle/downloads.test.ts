import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  faultOf,
  namelessFiles,
  onEachIsolation,
  openFiles,
  openSocket,
  filePath,
  useDaemon,
  useSandbox,
  waitFor,
  waitForOnly,
} from '../harness/index.ts';

const used = useDaemon();
const path = '/workspace/file';
const digestOf = (bytes: Uint8Array) =>
  `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);
  const bytes = randomBytes(700_001);
  const get = (headers: Record<string, string> = {}, method = 'GET') =>
    used.api.send(method, filePath(box.id, '', path), { headers });

  test('GET and HEAD tell size, time and an ETag', async () => {
    const written = await used.api.put(box.id, path, bytes);
    expect(JSON.parse(written.body.toString())).toEqual({
      path,
      bytes: bytes.length,
      size: bytes.length,
      etag: written.headers.etag,
    });
    const answer = await get();
    expect(answer.body.equals(bytes)).toBe(true);
    expect(answer.headers).toMatchObject({
      'content-length': String(bytes.length),
      'x-file-size': String(bytes.length),
      'content-type': 'application/octet-stream',
      'accept-ranges': 'bytes',
      etag: written.headers.etag,
    });
    expect(Date.parse(String(answer.headers['last-modified']))).toBeGreaterThan(
      Date.now() - 60_000,
    );
    const head = await get({}, 'HEAD');
    expect(head.status).toBe(200);
    expect(head.body).toHaveLength(0);
    expect(head.headers['content-length']).toBe(String(bytes.length));
    expect(head.headers.etag).toBe(answer.headers.etag);
    const missing = await used.api.send('HEAD', filePath(box.id, '', '/no/such'));
    expect([missing.status, missing.body.length]).toEqual([404, 0]);
  });

  test('ranges: from the start, to the end, from the end, one byte, none', async () => {
    const size = bytes.length;
    for (const [range, start, end] of [
      ['bytes=0-0', 0, 1],
      ['bytes=100-199', 100, 200],
      ['bytes=700000-', 700_000, size],
      ['bytes=-5', size - 5, size],
      ['bytes=0-99999999', 0, size],
      ['bytes=-99999999', 0, size],
    ] as const) {
      const answer = await get({ Range: range });
      expect(answer.status, range).toBe(206);
      expect(answer.headers['content-range']).toBe(`bytes ${start}-${end - 1}/${size}`);
      expect(answer.body.equals(bytes.subarray(start, end)), range).toBe(true);
    }
    for (const range of [`bytes=${size}-`, 'bytes=-0', 'bytes=99999999-'])
      expect(faultOf(await get({ Range: range }), 'range_not_satisfiable')).toMatchObject({ size });
    for (const range of ['bytes=5-2', 'bytes=a-b', 'lines=1-2', 'bytes=0-1,5-6', 'bytes=-'])
      expect((await get({ Range: range })).status, range).toBe(200);
  });

  test('an ETag changes with every change, and saves a transfer as long as it does not', async () => {
    const { etag = '' } = (await get()).headers;
    expect((await get({ 'If-None-Match': etag })).status).toBe(304);
    expect((await get({ 'If-None-Match': `W/${etag}` })).status).toBe(304);
    expect((await get({ 'If-None-Match': '*' })).status).toBe(304);
    expect((await get({ 'If-None-Match': '"other"' })).status).toBe(200);
    expect((await get({ Range: 'bytes=0-1', 'If-Range': etag })).status).toBe(206);
    expect((await get({ Range: 'bytes=0-1', 'If-Range': '"other"' })).status).toBe(200);
    const seen = new Set([etag]);
    for (const change of [
      () => used.api.exec(box.id, `printf x >> ${path}`),
      () => used.api.exec(box.id, `printf y | dd of=${path} conv=notrunc status=none`),
      () => used.api.write(box.id, path, bytes),
      () => used.api.write(box.id, path, bytes),
    ]) {
      await change();
      const next = (await get({ 'If-None-Match': etag })).headers.etag ?? '';
      expect(seen).not.toContain(next);
      seen.add(next);
    }
  });

  test('a digest comes when it is wanted: ahead of a small file, behind a large one', async () => {
    const want = { 'Want-Repr-Digest': 'sha-256=1' };
    const small = await get(want);
    expect(small.body.equals(bytes)).toBe(true);
    expect(small.headers['repr-digest']).toBe(digestOf(bytes));
    expect(small.headers['content-length']).toBe(String(bytes.length));
    expect((await get(want, 'HEAD')).headers['repr-digest']).toBe(digestOf(bytes));
    const unwanted = await get({ 'Want-Repr-Digest': 'sha-256=0, sha-512=9' });
    expect(unwanted.headers['repr-digest']).toBeUndefined();
    const put = await used.api.put(box.id, '/tmp/digest', bytes, { headers: want });
    expect(put.headers['repr-digest']).toBe(digestOf(bytes));

    const large = randomBytes(1024 * 1024 + 1);
    await used.api.write(box.id, '/tmp/large', large);
    const open = (headers: Record<string, string>) =>
      used.api.open(box.id, '/tmp/large', { headers });
    const trailed = await open({ ...want, TE: 'trailers' });
    expect(trailed.body.equals(large)).toBe(true);
    expect(trailed.trailers['repr-digest']).toBe(digestOf(large));
    expect(trailed.headers['x-file-size']).toBe(String(large.length));
    const plain = await open(want);
    expect(plain.headers['content-length']).toBe(String(large.length));
    expect(plain.trailers).toEqual({});
  });

  test('an empty file is a file', async () => {
    await used.api.write(box.id, '/tmp/empty', '');
    const answer = await used.api.open(box.id, '/tmp/empty');
    expect([answer.status, answer.body.length]).toEqual([200, 0]);
    faultOf(
      await used.api.open(box.id, '/tmp/empty', { headers: { Range: 'bytes=0-' } }),
      'range_not_satisfiable',
    );
  });

  test('modes, owners, parents and times are as documented', async () => {
    await used.api.write(box.id, '/workspace/new/deep/file', 'x');
    const seen = await used.api.exec(
      box.id,
      'stat -c "%a %U:%G" /workspace/new /workspace/new/deep /workspace/new/deep/file',
    );
    expect(seen.stdout).toBe('755 user:user\n755 user:user\n644 user:user\n');
    await used.api.send('PUT', `${filePath(box.id, '', '/workspace/run')}&mode=0755`, {
      body: '#!/bin/sh\necho ran\n',
    });
    expect((await used.api.exec(box.id, '/workspace/run')).stdout).toBe('ran\n');
    await used.api.exec(box.id, 'touch -d @1000000000 /workspace/run');
    expect(await used.api.stat(box.id, '/workspace/run')).toMatchObject({
      name: 'run',
      path: '/workspace/run',
      type: 'file',
      is_dir: false,
      mode: 'f',
      permissions: '0755',
      uid: 1000,
      gid: 1000,
      mtime: 1_000_000_000,
      modified_at: '2001-09-09T01:46:40.000Z',
    });
    expect((await used.api.mkdir(box.id, '/workspace/made/deep')).status).toBe(200);
    expect((await used.api.mkdir(box.id, '/workspace/made/deep')).status).toBe(200);
    const made = await used.api.exec(box.id, 'stat -c "%a %U" /workspace/made/deep');
    expect(made.stdout).toBe('755 user\n');
  });

  test('a file that is replaced during a download is sent to its end as it was', async () => {
    const large = randomBytes(30_000_000);
    await used.api.write(box.id, '/workspace/large', large);
    const socket = await openSocket(used.daemon.url);
    const parts: Buffer[] = [];
    socket.write(
      `GET ${filePath(box.id, '', '/workspace/large')} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${used.daemon.apiKey}\r\nConnection: close\r\n\r\n`,
    );
    socket.pause();
    socket.once('data', () => undefined);
    await used.api.write(box.id, '/workspace/large', 'replaced');
    expect((await used.api.read(box.id, '/workspace/large')).toString()).toBe('replaced');
    socket.removeAllListeners('data');
    socket.on('data', (part) => parts.push(part));
    socket.resume();
    await waitFor(() => socket.closed);
    const all = Buffer.concat(parts);
    const body = all.subarray(all.indexOf('\r\n\r\n') + 4);
    // Either the request was opened before the write, or after it; never a mixture.
    expect(body.equals(large) || body.toString() === 'replaced').toBe(true);
  });

  test('a file that the guest makes shorter ends its download early, never with padding', async () => {
    const { api } = used;
    const size = 60_000_000;
    await api.exec(box.id, `head -c ${size} /dev/zero | tr '\\0' x > /workspace/shrinking`);
    const socket = await openSocket(used.daemon.url);
    socket.pause();
    socket.write(
      `GET ${filePath(box.id, '', '/workspace/shrinking')} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${used.daemon.apiKey}\r\n\r\n`,
    );
    await waitFor(() => socket.bytesWritten > 0);
    await waitFor(async () => {
      const fds = openFiles(used.daemon.pid);
      return fds.some((target) => target.endsWith('/workspace/shrinking'));
    });
    await api.exec(box.id, 'truncate -s 1000 /workspace/shrinking');
    const parts: Buffer[] = [];
    socket.on('data', (part) => parts.push(part));
    socket.resume();
    await waitFor(() => socket.closed, { what: 'the end of the connection' });
    const all = Buffer.concat(parts);
    const body = all.subarray(all.indexOf('\r\n\r\n') + 4);
    expect(body.length).toBeLessThan(size);
    expect(body.every((byte) => byte === 0x78)).toBe(true);
  });

  test('a sandbox is deleted during a download: all of it goes once the client has left', async () => {
    const { api, daemon } = used;
    const doomed = await api.create({ isolation, resources: { disk_mb: 64 } });
    await api.exec(doomed.id, 'truncate -s 1G /tmp/sparse');
    const socket = await openSocket(daemon.url);
    socket.pause();
    socket.write(
      `GET ${filePath(doomed.id, '', '/tmp/sparse')} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${daemon.apiKey}\r\n\r\n`,
    );
    await waitFor(() => openFiles(daemon.pid).some((target) => target.endsWith('/tmp/sparse')));
    await api.kill(doomed.id);
    socket.resetAndDestroy();
    await waitForOnly(daemon, [box.id]);
    await waitFor(() => !openFiles(daemon.pid).some((target) => target.includes('/tmp/sparse')));
  });

  test('a client that leaves a download leaves nothing open', async () => {
    await used.api.write(box.id, '/workspace/large', randomBytes(30_000_000));
    for (let round = 0; round < 10; round++) {
      const socket = await openSocket(used.daemon.url);
      socket.write(
        `GET ${filePath(box.id, '', '/workspace/large')} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${used.daemon.apiKey}\r\n\r\n`,
      );
      await new Promise((resolve) => socket.once('data', resolve));
      socket.resetAndDestroy();
    }
    await used.api.remove(box.id, '/workspace/large');
    await waitFor(() => namelessFiles(used.daemon.pid).length === 0);
  });
});
