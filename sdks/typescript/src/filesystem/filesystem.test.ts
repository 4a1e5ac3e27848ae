import {
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  BadRequestError,
  ConflictError,
  DigestMismatchError,
  NotFoundError,
  StorageFullError,
} from '../errors/api-errors.ts';
import { LocalFileError, NetworkError, TimeoutError } from '../errors/client-errors.ts';
import { digestField, FakeDaemon, type FakeExchange, reset } from '../testing/fake-daemon.ts';
import { Filesystem } from './filesystem.ts';

const writeResult = (path: string, bytes: Buffer) => ({
  path,
  bytes: bytes.length,
  size: bytes.length,
  etag: '"1"',
});

/** Keeps what is put under a path and gives it back. */
function storage() {
  const files = new Map<string, Buffer>();
  const handler = async (exchange: FakeExchange) => {
    const path = exchange.url.searchParams.get('path') ?? '';
    if (exchange.request.method === 'PUT') {
      const bytes = await exchange.body();
      const { headers, trailers } = exchange.request;
      const announced = headers['repr-digest'] ?? trailers['repr-digest'];
      if (announced !== digestField(bytes)) {
        exchange.json(400, { error: 'The digest does not fit.', code: 'digest_mismatch', path });
        return;
      }
      files.set(path, bytes);
      exchange.json(200, writeResult(path, bytes), { 'repr-digest': digestField(bytes) });
      return;
    }
    const bytes = files.get(path);
    if (bytes === undefined) {
      exchange.json(
        404,
        { error: `There is no ${path}.`, code: 'file_not_found', path },
        { 'x-request-id': 'r-1' },
      );
      return;
    }
    exchange.response.writeHead(200, {
      trailer: 'Repr-Digest',
      'x-file-size': String(bytes.length),
    });
    exchange.response.write(bytes);
    exchange.response.addTrailers({ 'Repr-Digest': digestField(bytes) });
    exchange.response.end();
  };
  return { files, handler };
}

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sandport-sdk-'));
});
afterEach(() => rm(directory, { recursive: true }));

const filesOf = (daemon: FakeDaemon) => new Filesystem(daemon.client.transport, 'box');

describe('write and read', () => {
  test('any text and any bytes come back as they were', async () => {
    await using daemon = await FakeDaemon.start(storage().handler);
    const files = filesOf(daemon);
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
        fc.uint8Array({ maxLength: 300 }),
        fc.string({ unit: 'grapheme' }),
        async (name, bytes, text) => {
          const path = `/workspace/${name.replaceAll('\0', '_')}`;
          expect(await files.write(path, bytes)).toMatchObject({ path, bytes: bytes.length });
          expect(Buffer.from(await files.readBytes(path)).equals(Buffer.from(bytes))).toBe(true);
          await files.write(path, text);
          expect(await files.read(path)).toBe(text);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a byte order mark stays, bytes that are not UTF-8 become U+FFFD', async () => {
    await using daemon = await FakeDaemon.start(storage().handler);
    const files = filesOf(daemon);
    await files.write('/bom', '\uFEFFx');
    expect(await files.read('/bom')).toBe('\uFEFFx');
    await files.write('/raw', new Uint8Array([0x61, 0xff]));
    expect(await files.read('/raw')).toBe('a\uFFFD');
  });

  test.each([
    ['ArrayBuffer', () => new Uint8Array([1, 2, 3]).buffer],
    ['Blob', () => new Blob([new Uint8Array([1, 2]), new Uint8Array([3])])],
    ['Readable', () => Readable.from([Buffer.from([1]), Buffer.from([2, 3])])],
    [
      'async generator',
      async function* () {
        yield new Uint8Array([1, 2, 3]);
      },
    ],
    ['array of chunks', () => [new Uint8Array([1]), new Uint8Array([2, 3])]],
  ])('takes a %s', async (_kind, make) => {
    const { files: stored, handler } = storage();
    await using daemon = await FakeDaemon.start(handler);
    expect(await filesOf(daemon).write('/f', make())).toMatchObject({ path: '/f', bytes: 3 });
    expect([...(stored.get('/f') ?? [])]).toEqual([1, 2, 3]);
  });

  test('an array larger than one piece is streamed, with its digest at the end', async () => {
    const { files: stored, handler } = storage();
    await using daemon = await FakeDaemon.start(handler);
    const bytes = Buffer.alloc(3_000_001, 'abc');
    const seen: number[] = [];
    await filesOf(daemon).write('/big', bytes, { onProgress: (p) => seen.push(p.bytes) });
    expect(stored.get('/big')?.equals(bytes)).toBe(true);
    expect(seen.at(-1)).toBe(3_000_001);
    expect(seen.length).toBeGreaterThan(3);
  });

  test('a source that fails part-way gives its own error, and the daemon gets no whole body', async () => {
    const { files: stored, handler } = storage();
    await using daemon = await FakeDaemon.start(handler);
    async function* broken() {
      yield Buffer.from('half');
      throw new Error('the source broke');
    }
    await expect(filesOf(daemon).write('/f', broken())).rejects.toThrow('the source broke');
    expect(stored.has('/f')).toBe(false);
  });

  test('a stream that waits is let go when the daemon refuses', async () => {
    await using daemon = await FakeDaemon.start((exchange) => {
      exchange.response.writeContinue();
      exchange.request.once('data', () => {
        exchange.json(507, { error: 'The disk is full.', code: 'disk_full' });
      });
    });
    const waiting = new Readable({ read() {} });
    waiting.push('first');
    await expect(filesOf(daemon).write('/f', waiting)).rejects.toThrow(StorageFullError);
    expect(waiting.destroyed).toBe(true);
  });

  test('what is not content is refused before anything is sent', async () => {
    await using daemon = await FakeDaemon.start(storage().handler);
    // Plain JavaScript can pass anything.
    const number = JSON.parse('5') as string;
    await expect(filesOf(daemon).write('/f', number)).rejects.toThrow(TypeError);
    expect(daemon.requests).toEqual([]);
  });

  test('a missing file is NotFoundError with code, path, status and request id', async () => {
    await using daemon = await FakeDaemon.start(storage().handler);
    const error = await filesOf(daemon)
      .read('/none')
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error).toMatchObject({
      code: 'file_not_found',
      path: '/none',
      statusCode: 404,
      requestId: 'r-1',
    });
  });

  test.each(['', 'relative', '/nul\0', `/${'x'.repeat(256)}`, '/lone\uD800'])(
    'a path that cannot be (%j) is refused here',
    async (path) => {
      await using daemon = await FakeDaemon.start(storage().handler);
      await expect(filesOf(daemon).read(path)).rejects.toThrow(BadRequestError);
      expect(daemon.requests).toEqual([]);
    },
  );
});

describe('upload and download', () => {
  test('a file goes up and comes down, parents are made', async () => {
    await using daemon = await FakeDaemon.start(storage().handler);
    const files = filesOf(daemon);
    const local = join(directory, 'in.bin');
    const bytes = Buffer.alloc(2_500_000, 'xyz');
    await writeFile(local, bytes);
    expect(await files.upload(local, '/in.bin')).toMatchObject({
      path: '/in.bin',
      bytes: 2_500_000,
    });
    const out = join(directory, 'a/b/out.bin');
    let total: number | undefined;
    await files.download('/in.bin', out, { onProgress: (p) => (total = p.totalBytes) });
    expect((await readFile(out)).equals(bytes)).toBe(true);
    expect(total).toBe(2_500_000);
    expect(await readdir(join(directory, 'a/b'))).toEqual(['out.bin']);
  });

  test('a local file that is missing or a directory is named', async () => {
    await using daemon = await FakeDaemon.start(storage().handler);
    const files = filesOf(daemon);
    await expect(files.upload(join(directory, 'none'), '/f')).rejects.toThrow(/does not exist/);
    await expect(files.upload(directory, '/f')).rejects.toThrow(LocalFileError);
    expect(daemon.requests).toEqual([]);
  });

  test('a local file that shrinks while it is read is not written', async () => {
    const { files: stored, handler } = storage();
    const local = join(directory, 'shrinks');
    await writeFile(local, Buffer.alloc(8_000_000));
    await using daemon = await FakeDaemon.start(handler);
    const upload = filesOf(daemon).upload(local, '/f', {
      onProgress: () => void truncate(local, 10),
    });
    await expect(upload).rejects.toThrow(LocalFileError);
    expect(stored.has('/f')).toBe(false);
  });

  test('download keeps the old file and leaves nothing when the connection breaks', async () => {
    await using daemon = await FakeDaemon.start(({ response, request }) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half', () => reset(request.socket));
    });
    const out = join(directory, 'out');
    await writeFile(out, 'old', { mode: 0o600 });
    await expect(filesOf(daemon).download('/f', out)).rejects.toThrow(NetworkError);
    expect(await readFile(out, 'utf8')).toBe('old');
    expect(await readdir(directory)).toEqual(['out']);
  });

  test('download refuses bytes that do not fit their digest', async () => {
    await using daemon = await FakeDaemon.start(({ response }) => {
      response.writeHead(200, { trailer: 'Repr-Digest' });
      response.write('changed');
      response.addTrailers({ 'Repr-Digest': digestField(Buffer.from('original')) });
      response.end();
    });
    const out = join(directory, 'out');
    await expect(filesOf(daemon).download('/f', out)).rejects.toThrow(DigestMismatchError);
    expect(await readdir(directory)).toEqual([]);
  });

  test('download goes through a symlink and keeps the mode of the file', async () => {
    await using daemon = await FakeDaemon.start(storage().handler);
    const files = filesOf(daemon);
    await files.write('/f', 'new');
    await writeFile(join(directory, 'real'), 'old', { mode: 0o600 });
    await symlink('real', join(directory, 'link'));
    await files.download('/f', join(directory, 'link'));
    expect(await readFile(join(directory, 'real'), 'utf8')).toBe('new');
    expect((await stat(join(directory, 'real'))).mode & 0o777).toBe(0o600);
    await expect(files.download('/f', directory)).rejects.toThrow(/is a directory/);
  });

  test('an abort ends both and throws its reason', async () => {
    await using daemon = await FakeDaemon.start(({ response, request }) => {
      if (request.method === 'GET') response.writeHead(200).write('begin');
      else response.writeContinue();
    });
    const files = filesOf(daemon);
    const stop = new AbortController();
    const reason = new Error('stop now');
    setTimeout(() => stop.abort(reason), 50);
    const out = join(directory, 'out');
    const local = join(directory, 'in');
    await writeFile(local, Buffer.alloc(64_000_000));
    const { signal } = stop;
    const results = await Promise.allSettled([
      files.download('/f', out, { signal }),
      files.upload(local, '/f', { signal }),
    ]);
    expect(results.map((r) => r.status === 'rejected' && r.reason)).toEqual([reason, reason]);
    expect(await readdir(directory)).toEqual(['in']);
  });
});

describe('faults of the connection', () => {
  test('a refused upload does not send its body', async () => {
    let received = 0;
    await using daemon = await FakeDaemon.start((exchange) => {
      exchange.request.on('data', (chunk: Buffer) => (received += chunk.length));
      exchange.json(409, { error: '/d is a directory.', code: 'is_directory', path: '/d' });
    });
    const local = join(directory, 'in');
    await writeFile(local, Buffer.alloc(30_000_000));
    await expect(filesOf(daemon).upload(local, '/d')).rejects.toThrow(ConflictError);
    expect(received).toBe(0);
  });

  test('a repeatable request is sent again after a reset, a bounded number of times', async () => {
    let resets = 2;
    const { files: stored, handler } = storage();
    await using daemon = await FakeDaemon.start(async (exchange) => {
      if (resets-- > 0) reset(exchange.request.socket);
      else await handler(exchange);
    });
    const files = filesOf(daemon);
    await files.write('/f', 'text');
    expect(stored.get('/f')?.toString()).toBe('text');
    resets = 3;
    await expect(files.read('/f')).rejects.toThrow(NetworkError);
    expect(daemon.requests.filter((r) => r.startsWith('GET')).length).toBe(3);
  });

  test('a stream that can be read once is not sent again', async () => {
    await using daemon = await FakeDaemon.start(({ request }) => {
      reset(request.socket);
    });
    const once = Readable.from([Buffer.from('x')]);
    await expect(filesOf(daemon).write('/f', once)).rejects.toThrow(NetworkError);
    expect(daemon.requests.length).toBe(1);
  });

  test('a silent daemon is given up after the idle timeout', async () => {
    await using daemon = await FakeDaemon.start(({ response, url }) => {
      if (url.searchParams.get('path') === '/half') response.writeHead(200).write('x');
    }, 100);
    const files = filesOf(daemon);
    await expect(files.read('/none')).rejects.toThrow(TimeoutError);
    await expect(files.read('/half')).rejects.toThrow(TimeoutError);
  });

  test('a slow reader and a slow source are not taken for a silent daemon', async () => {
    const { handler } = storage();
    const pauseMs = 2500;
    await using daemon = await FakeDaemon.start(handler, 1000);
    const files = filesOf(daemon);
    await files.write('/f', Buffer.alloc(20_000_000));
    const stream = await files.readStream('/f');
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    let bytes = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) bytes += chunk.length;
    expect(bytes).toBe(20_000_000);
    async function* slow() {
      yield Buffer.from('a');
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      yield Buffer.from('b');
    }
    expect((await files.write('/slow', slow())).bytes).toBe(2);
  });

  test('a reader that leaves early lets go of the connection', async () => {
    await using daemon = await FakeDaemon.start(storage().handler);
    const files = filesOf(daemon);
    await files.write('/f', Buffer.alloc(20_000_000));
    const stream = await files.readStream('/f');
    for await (const _ of stream) break;
    await expect.poll(() => daemon.connections(), { timeout: 2000 }).toBeLessThanOrEqual(1);
  });
});
