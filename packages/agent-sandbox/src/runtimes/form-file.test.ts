import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Writable } from 'node:stream';
import type { FileWriter } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import { Exchange } from '@sandport/server';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { receiveFormFile } from './form-file.ts';

/** What the form below test wrote, and how that ended. */
interface Written {
  name: string;
  bytes: Buffer;
  end: 'committed' | 'aborted' | undefined;
}

let server: Server;
let written: Written[] = [];
let outcome: unknown;

function writerOf(name: string): FileWriter {
  const entry: Written = { name, bytes: Buffer.alloc(0), end: undefined };
  written.push(entry);
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      entry.bytes = Buffer.concat([entry.bytes, chunk]);
      done();
    },
  });
  const abort = async () => {
    stream.destroy();
    entry.end ??= 'aborted';
  };
  return {
    stream,
    writeSmall: () => undefined,
    commit: async () => {
      entry.end = 'committed';
      return { bytes: entry.bytes.length, size: entry.bytes.length, etag: '"e"' };
    },
    abort,
    [Symbol.asyncDispose]: abort,
  };
}

beforeAll(async () => {
  server = createServer((request, response) => {
    const exchange = new Exchange(request, response);
    receiveFormFile(
      exchange,
      'file',
      async (name) => {
        if (name === 'refused') throw new SandportFault('is_directory', 'it is', { path: name });
        return writerOf(name);
      },
      { idleTimeoutMs: 300 },
    )
      .then(
        (result) => result,
        (error: unknown) => error,
      )
      .then((result) => {
        outcome = result;
        response.end('x');
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Sends bytes as they are and waits until the request has been dealt with. */
async function send(
  body: Buffer | string,
  { type = 'multipart/form-data; boundary=B', length = body.length, end = true } = {},
): Promise<unknown> {
  written = [];
  outcome = undefined;
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  socket.write(
    `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`,
  );
  socket.write(body);
  if (!end) socket.destroySoon();
  await expect.poll(() => outcome, { timeout: 3000, interval: 5 }).toBeDefined();
  socket.destroy();
  return outcome;
}

const part = (fields: string, body: string) =>
  `--B\r\nContent-Disposition: form-data; ${fields}\r\n\r\n${body}\r\n`;
const form = (...parts: string[]) => `${parts.join('')}--B--\r\n`;

test.each([
  ['name="file"; filename="a.txt"', 'a.txt'],
  ['name="file"; filename="home/user/dir/a b.txt"', 'home/user/dir/a b.txt'],
  ['name="file"; filename="/abs/a"', '/abs/a'],
  ['name="file"; filename="q%22uote"', 'q"uote'],
  ['name="file"; filename="a%20b"', 'a%20b'],
  ['name="file"; filename="back\\slash"', 'back\\slash'],
  ['name="file"; filename="semi;colon=x"', 'semi;colon=x'],
  [`name="file"; filename*=UTF-8''gr%C3%BC%C3%9Fe`, 'grüße'],
])('the name in %s', async (fields, name) => {
  expect(await send(form(part(fields, 'hello')))).toEqual({ fileName: name });
  expect(written).toEqual([{ name, bytes: Buffer.from('hello'), end: 'committed' }]);
});

test('a name in raw UTF-8', async () => {
  const body = Buffer.from(form(part('name="file"; filename="grüße-日本.txt"', 'x')));
  expect(await send(body)).toEqual({ fileName: 'grüße-日本.txt' });
});

test('other fields are left out', async () => {
  const body = form(
    part('name="a"', 'text'),
    part('name="file"; filename="f"', 'x'),
    part('name="other"; filename="g"', 'y'),
  );
  expect(await send(body)).toEqual({ fileName: 'f' });
  expect(written).toHaveLength(1);
});

test('no form, no file, a field in the place of a file', async () => {
  expect(await send('x', { type: 'text/plain' })).toBe('none');
  expect(await send(form(part('name="other"; filename="f"', 'x')))).toBe('none');
  expect(await send(form(part('name="file"', 'x')))).toBe('none');
  expect(written).toEqual([]);
});

test('several files', async () => {
  const file = part('name="file"; filename="f"', 'x');
  expect(await send(form(file, file))).toBe('several');
  expect(written.map(({ end }) => end)).toEqual(['aborted']);
});

test('a body without the last boundary writes nothing', async () => {
  const body = part('name="file"; filename="f"', 'x'.repeat(100_000));
  expect(await send(body)).toMatchObject({ code: 'invalid_request' });
  expect(written.map(({ end }) => end)).toEqual(['aborted']);
});

test('a connection that ends early writes nothing', async () => {
  const body = part('name="file"; filename="f"', 'x'.repeat(100_000));
  expect(await send(body, { length: 1_000_000, end: false })).toMatchObject({
    code: 'incomplete_body',
  });
  expect(written.map(({ end }) => end)).toEqual(['aborted']);
});

test('a client that sends nothing any more is given up', async () => {
  const body = part('name="file"; filename="f"', 'x');
  expect(await send(body, { length: 1_000_000 })).toMatchObject({ code: 'request_timeout' });
  expect(written.map(({ end }) => end)).toEqual(['aborted']);
});

test('the refusal of the file is the answer', async () => {
  expect(await send(form(part('name="file"; filename="refused"', 'x')))).toMatchObject({
    code: 'is_directory',
  });
});

test('no boundary, many parts, endless headers', async () => {
  expect(await send('x', { type: 'multipart/form-data; x=y' })).toMatchObject({
    code: 'invalid_request',
  });
  const many = form(...Array.from({ length: 5000 }, () => part('name="a"', '')));
  expect(await send(many)).toMatchObject({ code: 'invalid_request' });
  const headers = `--B\r\n${'X: y\r\n'.repeat(100_000)}\r\n\r\nx\r\n--B--\r\n`;
  expect(await send(headers)).toBe('none');
  expect(written).toEqual([]);
});

test('whatever comes, it is dealt with, and written only when it was whole', async () => {
  const pieces = fc.constantFrom(
    '--B',
    '--B--',
    '\r\n',
    '--',
    'Content-Disposition: form-data; name="file"; filename="f"\r\n\r\n',
    'Content-Disposition: form-data; name="a"\r\n\r\n',
    'x',
    '\r\n--B\r\n',
    '"',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { maxLength: 12 }), async (parts) => {
      const result = await send(parts.join(''));
      const isWritten = typeof result === 'object' && result !== null && 'fileName' in result;
      const ends = written.map(({ end }) => end);
      expect(ends).toEqual(isWritten ? ['committed'] : ends.map(() => 'aborted'));
    }),
    { numRuns: 60 },
  );
});
