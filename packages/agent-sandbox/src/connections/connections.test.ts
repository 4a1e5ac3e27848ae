import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { request as httpRequest } from 'node:http';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConnectionServer } from './connection-server.ts';
import { PairEnd } from './duplex-pair.ts';

/** All that comes; unlike iterating, reading so leaves the other direction alone. */
async function said(end: PairEnd): Promise<string> {
  let all = '';
  end.on('data', (chunk) => (all += chunk));
  await once(end, 'end');
  return all;
}

describe('two ends of a connection', () => {
  test('carry bytes both ways and close each way on its own', async () => {
    const [one, two] = PairEnd.pair();
    one.end('question');
    expect(await said(two)).toBe('question');
    expect(two.destroyed).toBe(false);
    two.end('answer');
    expect(await said(one)).toBe('answer');
    expect(one.bytesWritten).toBe(8);
    await expect.poll(() => one.destroyed && two.destroyed).toBe(true);
  });

  test('keep the unread rest when the other has said all and is gone', async () => {
    const [one, two] = PairEnd.pair();
    one.resume();
    one.end('x'.repeat(10_000));
    two.end();
    await sleep(10);
    one.destroy();
    expect((await buffer(two)).length).toBe(10_000);
  });

  test('hold the writer back while nobody reads', async () => {
    const [one, two] = PairEnd.pair();
    let written = 0;
    const chunk = Buffer.alloc(16 * 1024);
    while (written < 100 && one.write(chunk)) written += 1;
    await sleep(5);
    while (written < 100 && one.write(chunk)) written += 1;
    expect(written).toBeLessThan(10);
    two.destroy();
  });

  test('break together', async () => {
    const [one, two] = PairEnd.pair();
    const broken = new Promise((resolve) => two.once('close', resolve));
    two.on('error', () => undefined);
    two.resume();
    one.write('x');
    one.destroy();
    await broken;
    one.on('error', () => undefined);
    one.write('more');
  });

  test('break when one breaks with an error', async () => {
    const [one, two] = PairEnd.pair();
    one.on('error', () => undefined);
    const failed = new Promise<Error>((resolve) => two.once('error', resolve));
    one.destroy(new Error('lost'));
    expect((await failed).message).toContain('broke');
  });
});

describe('a server of connections', () => {
  let server: ConnectionServer<string>;
  let closing: (() => void) | undefined;

  beforeEach(() => {
    server = new ConnectionServer<string>({
      serve: (request, response, context) => {
        if (request.url === '/hang') return;
        request.resume().once('end', () => response.end(`${context} ${request.url}`));
      },
    });
  });
  afterEach(() => {
    server[Symbol.dispose]();
    closing?.();
    closing = undefined;
  });

  const ask = (context: string, path: string): Promise<string> => {
    const [inner, outer] = PairEnd.pair();
    server.accept(inner, context);
    return new Promise((resolve, reject) => {
      // Node takes any stream for a socket here.
      const request = httpRequest({ createConnection: () => outer as unknown as Socket, path });
      request.once('response', (answer) => resolve(text(answer)));
      request.once('error', reject).end();
    });
  };

  test('knows for whom each of them is', async () => {
    const asked = Array.from({ length: 20 }, (_, index) => ask(`c${index}`, `/${index}`));
    expect(await Promise.all(asked)).toEqual(asked.map((_, index) => `c${index} /${index}`));
  });

  test('cuts those that fit', async () => {
    const [one, two] = [ask('one', '/hang'), ask('two', '/hang')];
    const failed = expect(one).rejects.toThrow();
    await sleep(20);
    server.cut((context) => context === 'one');
    await failed;
    const cut = expect(two).rejects.toThrow();
    server.cut();
    await cut;
  });

  test('answers what is no request, and takes one after it on another connection', async () => {
    const [inner, outer] = PairEnd.pair();
    server.accept(inner, 'x');
    outer.write('\u0016\u0003\u0001 hello\r\n\r\n');
    expect(await text(outer)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(await ask('y', '/')).toBe('y /');
  });

  test('takes heads of 16 KiB at most', async () => {
    const [inner, outer] = PairEnd.pair();
    server.accept(inner, 'x');
    outer.write(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`);
    expect(await text(outer)).toMatch(/^HTTP\/1\.1 431 /);
  });

  test('serves sockets as well', async () => {
    const listener = createServer((socket) => server.accept(socket, 'tcp'));
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    closing = () => listener.close();
    const address = listener.address();
    if (address === null || typeof address === 'string') throw new Error('it listens');
    const socket = connect(address.port, '127.0.0.1');
    socket.write('GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(await text(socket)).toContain('tcp /a');
  });
});

test('a head that does not come to its end is given up', async () => {
  using server = new ConnectionServer<string>({
    serve: (_request, response) => response.end(),
    headersTimeoutMs: 100,
  });
  const [inner, outer] = PairEnd.pair();
  server.accept(inner, 'x');
  outer.write('GET / HTTP/1.1\r\nHost: x\r\n');
  expect(await text(outer)).toMatch(/^HTTP\/1\.1 408 /);
});
