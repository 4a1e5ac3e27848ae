import { createHash, randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { uploadSchema } from '@sandport/protocol';
import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  codeOf,
  exchange,
  faultOf,
  json,
  openSocket,
  useDaemon,
  useSandbox,
  waitFor,
} from '../harness/index.ts';
import { metadataOf, RawTus } from './raw-tus.ts';

const used = useDaemon();
const sandbox = useSandbox(used, 'container');
const tus = () => new RawTus(used.api, sandbox.id);
const digest = (algorithm: string, bytes: Uint8Array) =>
  createHash(algorithm).update(bytes).digest('base64');
const read = (path: string) => used.api.read(sandbox.id, path);
const directory = '/workspace/protocol';
const path = `${directory}/file`;

test('OPTIONS tells what is spoken, without a key', async () => {
  const answer = await exchange(used.api.url, { method: 'OPTIONS', path: tus().path });
  expect(answer.status).toBe(204);
  expect(answer.headers).toMatchObject({
    'tus-resumable': '1.0.0',
    'tus-version': '1.0.0',
    'tus-extension':
      'creation,creation-with-upload,creation-defer-length,checksum,expiration,termination',
    'tus-checksum-algorithm': 'sha1,sha256',
  });
});

test('an upload is created, listed, looked at, continued and finished', async () => {
  const upload = await tus().begin(10, { path, mode: '640', note: 'mine' });
  expect(upload).toMatch(new RegExp(`^${tus().path}/[0-9a-f]{32}$`));
  expect((await tus().patch(upload, 0, 'first')).status).toBe(204);
  const head = await tus().head(upload);
  expect(head.headers).toMatchObject({
    'upload-offset': '5',
    'upload-length': '10',
    'upload-metadata': expect.stringContaining(metadataOf({ note: 'mine' })),
    'cache-control': 'no-store',
    'tus-resumable': '1.0.0',
  });
  const expires = Date.parse(String(head.headers['upload-expires']));
  expect(expires - Date.now()).toBeGreaterThan(23 * 3_600_000);
  const [listed] = z.array(uploadSchema).parse(json(await tus().list(), 200));
  expect(listed).toMatchObject({ path, size: 10, offset: 5 });
  const last = await tus().patch(upload, 5, 'last.');
  expect(last.headers).toMatchObject({ 'upload-offset': '10', etag: expect.any(String) });
  expect(last.headers['upload-expires']).toBeUndefined();
  expect((await read(path)).toString()).toBe('firstlast.');
  const stat = await used.api.stat(sandbox.id, path);
  expect(stat).toMatchObject({ permissions: '0640', etag: last.headers.etag });
  // A client that has missed the last answer learns that all has come, and may even send again.
  const again = await tus().head(upload);
  expect(again.headers).toMatchObject({ 'upload-offset': '10', etag: last.headers.etag });
  expect((await tus().patch(upload, 10, '')).headers.etag).toBe(last.headers.etag);
  expect(json(await tus().list(), 200)).toEqual([]);
});

test.each(['sha1', 'sha256'])('bytes without their %s are not kept', async (algorithm) => {
  const bytes = randomBytes(50_000);
  const upload = await tus().begin(150_000, { path });
  const checksum = (sum: string) => ({ 'Upload-Checksum': `${algorithm} ${sum}` });
  const right = checksum(digest(algorithm, bytes));
  expect((await tus().patch(upload, 0, bytes, right)).status).toBe(204);
  const wrong = await tus().patch(upload, 50_000, randomBytes(50_000), right);
  expect(wrong.status).toBe(460);
  expect(codeOf(wrong)).toBe('digest_mismatch');
  expect(await tus().offset(upload)).toBe(50_000);
  for (const field of ['md5 AAAA', `${algorithm} AAAA`, algorithm]) {
    const headers = { 'Upload-Checksum': field };
    faultOf(await tus().patch(upload, 50_000, bytes, headers), 'invalid_request');
  }
  expect((await tus().patch(upload, 50_000, bytes, right)).status).toBe(204);
  expect((await tus().patch(upload, 100_000, bytes)).status).toBe(204);
  expect((await read(path)).equals(Buffer.concat([bytes, bytes, bytes]))).toBe(true);
});

test('bytes with a checksum count only when all have come, also after a kill -9', async () => {
  const bytes = randomBytes(400_000);
  const upload = await tus().begin(400_000, { path });
  const sum = `sha256 ${digest('sha256', bytes)}`;
  const hasStored = async (count: number) => {
    const entries = await used.api.entries(sandbox.id, directory);
    return entries.find(({ name }) => name.startsWith('.sandport-upload-'))?.size === count;
  };
  const sendOnce = async (count: number) => {
    const socket = await openSocket(used.api.url);
    let answer = '';
    socket.on('data', (part) => (answer += part.toString()));
    socket.write(
      `PATCH ${upload} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${used.api.apiKey}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nUpload-Checksum: ${sum}\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: 400000\r\n\r\n`,
    );
    socket.write(bytes.subarray(0, count));
    await waitFor(async () => answer !== '' || (await hasStored(count)), {
      timeoutMs: 10_000,
      what: 'the first bytes',
    });
    // It is refused while the request before, whose client has gone, is still being cleaned up.
    if (answer !== '') expect(answer).toContain('upload_conflict');
    return answer === '' && socket;
  };
  const send = (count: number) => waitFor(() => sendOnce(count));
  (await send(100_000)).destroy();
  await waitFor(() => hasStored(0), { timeoutMs: 10_000, what: 'the bytes to be cut off' });
  const socket = await send(200_000);
  await used.daemon.kill9();
  socket.destroy();
  await used.daemon.start();
  expect(await tus().offset(upload)).toBe(0);
  const last = await tus().patch(upload, 0, bytes, { 'Upload-Checksum': sum });
  expect(last.headers['upload-offset']).toBe('400000');
  expect((await read(path)).equals(bytes)).toBe(true);
});

test('a whole file without its SHA-256 does not appear, and the upload is over', async () => {
  await used.api.write(sandbox.id, path, 'old');
  const upload = await tus().begin(4, { path, sha256: '0'.repeat(64) });
  await tus().patch(upload, 0, 'ne');
  faultOf(await tus().patch(upload, 2, 'w!'), 'digest_mismatch');
  expect((await tus().head(upload)).status).toBe(404);
  expect((await read(path)).toString()).toBe('old');
  expect(await used.api.names(sandbox.id, directory)).toEqual(['file']);
  const sha256 = createHash('sha256').update('now').digest('hex');
  const headers = { 'Content-Type': 'application/offset+octet-stream' };
  expect((await tus().create(3, { path, sha256 }, headers, Buffer.from('now'))).status).toBe(201);
  const wrong = await tus().create(3, { path, sha256 }, headers, Buffer.from('not'));
  faultOf(wrong, 'digest_mismatch');
  expect((await read(path)).toString()).toBe('now');
  expect(await used.api.names(sandbox.id, directory)).toEqual(['file']);
});

test('preconditions are looked at before the first byte and after the last', async () => {
  await used.api.write(sandbox.id, path, 'one');
  const { etag = '' } = await used.api.stat(sandbox.id, path);
  faultOf(await tus().create(1, { path, if_none_match: '*' }), 'precondition_failed');
  faultOf(await tus().create(1, { path, if_match: '"other"' }), 'precondition_failed');
  const upload = await tus().begin(3, { path, if_match: etag });
  await used.api.write(sandbox.id, path, 'two');
  faultOf(await tus().patch(upload, 0, 'mine'.slice(0, 3)), 'precondition_failed');
  expect((await read(path)).toString()).toBe('two');
  expect(await used.api.names(sandbox.id, directory)).toEqual(['file']);
  const fresh = await tus().begin(3, { path: `${path}-new`, if_none_match: '*' });
  expect((await tus().patch(fresh, 0, 'new')).status).toBe(204);
  await used.api.remove(sandbox.id, `${path}-new`);
});

test('requests that do not fit are refused by name', async () => {
  const upload = await tus().begin(10, { path });
  const conflict = await tus().patch(upload, 3, 'x');
  faultOf(conflict, 'upload_conflict');
  faultOf(await tus().patch(upload, 0, 'x'.repeat(11)), 'payload_too_large');
  const endless = new PassThrough();
  endless.end(Buffer.alloc(11));
  faultOf(await tus().patch(upload, 0, endless), 'payload_too_large');
  expect(await tus().offset(upload)).toBe(0);
  const old = await used.api.send('HEAD', upload, { headers: {} });
  expect([old.status, old.headers['tus-version']]).toEqual([412, '1.0.0']);
  for (const [metadata, code] of [
    [{}, 'invalid_request'],
    [{ path, mode: '99' }, 'invalid_request'],
    [{ path, mtime: 'now' }, 'invalid_request'],
    [{ path, sha256: 'x' }, 'invalid_request'],
    [{ path: 'relative' }, 'invalid_path'],
    [{ path: '/workspace' }, 'is_directory'],
    [{ path: `${path}/below` }, 'not_a_directory'],
    [{ path: '/proc/self/mem' }, 'not_a_regular_file'],
  ] as const)
    faultOf(await tus().create(1, metadata), code);
  const headers = { 'Upload-Metadata': `path ${Buffer.from([0x2f, 0xff]).toString('base64')}` };
  faultOf(await tus().create(1, { path }, headers), 'invalid_path');
  faultOf(await tus().create(1, { path }, { 'Upload-Length': -1 }), 'invalid_request');
  faultOf(await tus().patch(`${tus().path}/${'0'.repeat(32)}`, 0, 'x'), 'upload_not_found');
  expect((await tus().remove(upload)).status).toBe(204);
  faultOf(await tus().remove(upload), 'upload_not_found');
  expect(await used.api.names(sandbox.id, directory)).toEqual(['file']);
});

test('of two requests that add to one upload, one is refused; a silent one gives way', async () => {
  const upload = await tus().begin(3_000_000, { path });
  const [first, second] = [new PassThrough(), new PassThrough()];
  const busy = tus().patch(upload, 0, first);
  const drip = setInterval(() => first.write(Buffer.alloc(10_000, 1)), 50);
  await waitFor(async () => (await tus().offset(upload)) > 0, {
    timeoutMs: 20_000,
    what: 'bytes',
  });
  faultOf(await tus().patch(upload, 0, 'x'), 'upload_conflict');
  clearInterval(drip);
  // Whoever looks after a second of silence ends it.
  let isOver = false;
  void busy.then(() => (isOver = true));
  await waitFor(async () => (await tus().offset(upload)) > 0 && isOver, { intervalMs: 100 });
  expect(codeOf(await busy)).toBe('upload_conflict');
  const offset = await tus().offset(upload);
  expect(offset).toBeGreaterThan(0);
  const next = tus().patch(upload, offset, second);
  second.end(Buffer.alloc(3_000_000 - offset, 2));
  expect((await next).status).toBe(204);
  const bytes = await read(path);
  expect([bytes.length, bytes.lastIndexOf(1), bytes.indexOf(2)]).toEqual([
    3_000_000,
    offset - 1,
    offset,
  ]);
  first.destroy();
});

test('an upload belongs to its sandbox, and goes with it', async () => {
  const other = await used.api.create({ isolation: 'container' });
  const theirs = new RawTus(used.api, other.id);
  const upload = await theirs.begin(10, { path });
  const id = upload.split('/').pop();
  expect((await tus().head(`${tus().path}/${id}`)).status).toBe(404);
  faultOf(await tus().patch(`${tus().path}/${id}`, 0, 'x'), 'upload_not_found');
  const { api: stranger } = await used.api.newKey({ namespaces: ['elsewhere'] });
  const foreign = await new RawTus(stranger, other.id).patch(upload, 0, 'x');
  faultOf(foreign, 'sandbox_not_found');
  await used.api.kill(other.id);
  expect((await theirs.head(upload)).status).toBe(404);
});

test('what has come of an upload to a volume goes with the sandbox', async () => {
  const volumes = [{ name: `uploads-${Date.now()}` }];
  const directory = `/mnt/${volumes[0]?.name}`;
  const first = await used.api.create({ isolation: 'container', volumes });
  const theirs = new RawTus(used.api, first.id);
  const upload = await theirs.begin(10, { path: `${directory}/file` });
  expect((await theirs.patch(upload, 0, 'some')).status).toBe(204);
  await used.api.kill(first.id);
  const second = await used.api.create({ isolation: 'container', volumes });
  expect(await used.api.names(second.id, directory)).toEqual([]);
  await used.api.kill(second.id);
  await used.api.send('DELETE', `/v1/volumes/default/${volumes[0]?.name}`);
});

test('a sandbox has at most 64 uploads under way', async () => {
  const begun: string[] = [];
  for (let index = 0; index < 64; index++) begun.push(await tus().begin(1, { path }));
  faultOf(await tus().create(1, { path }), 'limit_reached');
  for (const upload of begun) expect((await tus().remove(upload)).status).toBe(204);
  expect(await used.api.names(sandbox.id, directory)).toEqual(['file']);
});

test('a full disk keeps what fitted and says so', async () => {
  const small = await used.api.create({ isolation: 'container', resources: { disk_mb: 64 } });
  const theirs = new RawTus(used.api, small.id);
  const upload = await theirs.begin(200_000_000, { path: '/workspace/large' });
  faultOf(await theirs.patch(upload, 0, Buffer.alloc(200_000_000, 1)), 'disk_full');
  expect(await theirs.offset(upload)).toBeLessThan(64_000_000);
  expect((await theirs.remove(upload)).status).toBe(204);
  // The blocks of a large file are given back in the background.
  const fits = async () =>
    (await used.api.put(small.id, '/workspace/fits', Buffer.alloc(10_000_000))).status === 200;
  await waitFor(fits, { timeoutMs: 10_000, what: 'the room' });
  await used.api.kill(small.id);
});
