import { createHash, randomBytes } from 'node:crypto';
import {
  type BatchReadLine,
  batchReadLineSchema,
  batchRemoveResultSchema,
} from '@sandport/protocol';
import { expect, test } from 'vitest';
import {
  faultOf,
  json,
  onEachIsolation,
  openSocket,
  useDaemon,
  useSandbox,
  waitFor,
} from '../harness/index.ts';

const used = useDaemon();

const send = (id: string, route: string, body: unknown) =>
  used.api.sendJson('POST', `/v1/sandboxes/${id}/fs/batch/${route}`, body);

async function read(id: string, paths: readonly string[], mode?: string): Promise<BatchReadLine[]> {
  const answer = await send(id, 'read', { paths, ...(mode === undefined ? {} : { mode }) });
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toBe('application/x-ndjson');
  return answer.body
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => batchReadLineSchema.parse(JSON.parse(line)));
}

async function remove(id: string, body: unknown) {
  return batchRemoveResultSchema.parse(json(await send(id, 'remove', body), 200));
}

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);

  test('gives contents, size, mode, ETag and digest, in the order of the request', async () => {
    const large = randomBytes(3_000_001);
    await used.api.write(box.id, '/workspace/large', large);
    await used.api.write(box.id, '/workspace/empty', '');
    await used.api.asRoot(box.id, 'ln -sf large /workspace/link');
    const paths = ['/workspace/large', '/workspace/empty', '/workspace/link', '/workspace/large'];
    const lines = await read(box.id, paths, 'all');
    expect(lines.map(({ path }) => path)).toEqual(paths);
    for (const [index, line] of lines.entries()) {
      if (!line.ok) throw new Error(line.error);
      const bytes = Buffer.from(line.content_base64, 'base64');
      expect(bytes.equals(index === 1 ? Buffer.alloc(0) : large)).toBe(true);
      expect(line.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
      const { etag, size, permissions } = await used.api.stat(box.id, line.path);
      expect(line).toMatchObject({ etag, size, permissions });
    }
  });

  test('what cannot be read gives its row, or with mode=all refuses the batch', async () => {
    await used.api.asRoot(
      box.id,
      'mkfifo /workspace/fifo; truncate -s 17M /workspace/too-large; ln -s nowhere /workspace/dangling; ln -s self /workspace/self',
    );
    await used.api.write(box.id, '/workspace/good', 'good');
    const cases = [
      ['/workspace/good', 'ok'],
      ['/workspace', 'is_directory'],
      ['/workspace/fifo', isolation === 'gvisor' ? 'file_not_found' : 'not_a_regular_file'],
      ['/workspace/too-large', 'payload_too_large'],
      ['/workspace/dangling', 'file_not_found'],
      ['/workspace/self', 'symlink_loop'],
      ['/dev/zero', 'not_a_regular_file'],
      ['/proc/self/mem', 'not_a_regular_file'],
      ['relative', 'invalid_path'],
      ['/workspace/good', 'ok'],
    ] as const;
    const paths = cases.map(([path]) => path);
    const expected = cases.map(([, code]) => code);
    const lines = await read(box.id, paths);
    expect(lines.map((line) => (line.ok ? 'ok' : line.code))).toEqual(expected);
    const fault = faultOf(await send(box.id, 'read', { paths, mode: 'all' }), 'batch_failed');
    expect(fault.results).toMatchObject(
      expected.filter((code) => code !== 'ok').map((code) => ({ ok: false, code })),
    );
  });

  test('contents are of one moment while the guest writes into the file', async () => {
    const script = `
import os
f = os.open('/workspace/mixed', os.O_RDWR | os.O_CREAT, 0o666)
while True:
    for b in (b'a', b'b'):
        os.pwrite(f, b * 200000, 0)
`;
    await used.api.write(box.id, '/workspace/mixed', 'a'.repeat(200_000));
    await used.api.write(box.id, '/tmp/writer.py', script);
    const writer = used.api.exec(box.id, 'timeout 4 python3 /tmp/writer.py', { user: 'root' });
    const paths = Array.from({ length: 100 }, () => '/workspace/mixed');
    for (let round = 0; round < 5; round++)
      for (const line of await read(box.id, paths)) {
        if (line.ok) continue;
        expect(line.code).toBe('file_changed');
      }
    await writer;
    await used.api.write(box.id, '/workspace/mixed', 'still');
    const [line] = await read(box.id, ['/workspace/mixed']);
    expect(line?.ok && line.size).toBe(5);
  });

  test('files that are replaced while they are read are read whole', async () => {
    const path = '/workspace/replaced';
    const version = (letter: string) => letter.repeat(100_000);
    await used.api.write(box.id, path, version('a'));
    let isOver = false;
    const writing = (async () => {
      for (let turn = 0; !isOver; turn++)
        await used.api.write(box.id, path, version('abcdef'[turn % 6] ?? ''));
    })();
    for (let round = 0; round < 20; round++)
      for (const line of await read(box.id, [path, path, path])) {
        if (!line.ok) throw new Error(line.error);
        const text = Buffer.from(line.content_base64, 'base64').toString();
        expect(text).toBe(version(text.charAt(0)));
      }
    isOver = true;
    await writing;
  });

  test('removing many: rows for what fails, and nothing outside of links', async () => {
    await used.api.asRoot(
      box.id,
      'mkdir -p /workspace/r/full/x /workspace/r/kept; echo 1 > /workspace/r/kept/f; ln -s kept /workspace/r/link',
    );
    const paths = [
      '/workspace/r/full',
      '/workspace/r/link',
      '/workspace/r/no',
      '/',
      'x',
      '/proc/1',
    ];
    const strict = await remove(box.id, { paths, recursive: false, must_exist: true });
    expect(strict.results.map((row) => (row.ok ? 'ok' : row.code))).toEqual([
      'directory_not_empty',
      'ok',
      'file_not_found',
      'path_busy',
      'invalid_path',
      'not_a_regular_file',
    ]);
    expect(strict).toMatchObject({ succeeded: 1, failed: 5 });
    const again = await remove(box.id, { paths: paths.slice(0, 3) });
    expect(again).toMatchObject({ succeeded: 3, failed: 0 });
    expect((await used.api.read(box.id, '/workspace/r/kept/f')).toString()).toBe('1\n');
  });

  test('a client that does not read holds nothing but its own answer', async () => {
    await used.api.write(box.id, '/workspace/ten', randomBytes(10 * 1024 * 1024));
    const body = JSON.stringify({ paths: Array.from({ length: 1000 }, () => '/workspace/ten') });
    const socket = await openSocket(used.daemon.url);
    socket.write(
      `POST /v1/sandboxes/${box.id}/fs/batch/read HTTP/1.1\r\nHost: x\r\n` +
        `Authorization: Bearer ${used.api.apiKey}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await waitFor(() => socket.readableLength > 0 || socket.bytesRead > 0);
    socket.pause();
    await used.api.write(box.id, '/workspace/other', 'while it waits');
    expect((await used.api.read(box.id, '/workspace/other')).toString()).toBe('while it waits');
    socket.destroy();
  });

  test('bad bodies', async () => {
    faultOf(await send(box.id, 'read', {}), 'invalid_request');
    faultOf(await send(box.id, 'read', { paths: 'x' }), 'invalid_request');
    faultOf(await send(box.id, 'read', { paths: [], mode: 'x' }), 'invalid_request');
    const many = Array.from({ length: 10_001 }, () => '/etc');
    faultOf(await send(box.id, 'read', { paths: many }), 'invalid_request');
    faultOf(await send(box.id, 'remove', { paths: many }), 'invalid_request');
    expect(await read(box.id, [])).toEqual([]);
    expect(await remove(box.id, { paths: [] })).toEqual({ results: [], succeeded: 0, failed: 0 });
  });
});
