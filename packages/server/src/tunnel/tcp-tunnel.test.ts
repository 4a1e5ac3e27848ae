import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { Upgrade } from '../http/upgrade.ts';
import { serveTunnel } from './tcp-tunnel.ts';

const MiB = 1024 * 1024;

/** The connection to the program, whose end the test has in its hands. */
class Program extends Duplex {
  readonly got: Buffer[] = [];
  /** Until it is called nothing more is read. */
  takeOn: () => void = () => undefined;
  isSlow = false;

  override _read(): void {
    // The test pushes.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.got.push(chunk);
    if (this.isSlow) this.takeOn = done;
    else done();
  }
}

let server: Server;
let program: Program;
let client: WebSocket;
let served: Promise<void>;

beforeEach(async () => {
  program = new Program({ allowHalfOpen: true });
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const taken = once(server, 'upgrade');
  // A TCP server's address is never a string.
  const { port } = server.address() as AddressInfo;
  client = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });
  const opened = once(client, 'open');
  const [request, socket, head] = await taken;
  // Nothing else of the exchange is used.
  served = serveTunnel({ exchange: { request }, socket, head } as Upgrade, program);
  await opened;
});
afterEach(async () => {
  vi.useRealTimers();
  client.terminate();
  program.destroy();
  await served;
  server.close();
});

test('a slow client gets all that the program wrote before it closed', async () => {
  let bytes = 0;
  client.on('message', (data, isBinary) => {
    if (isBinary && Buffer.isBuffer(data)) bytes += data.length;
  });
  // It has listened by now.
  program.push(Buffer.alloc(1));
  await expect.poll(() => bytes).toBe(1);
  client.pause();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  // More than the buffers of both sockets hold.
  const count = 16;
  for (let piece = 0; piece < count; piece++) program.push(Buffer.alloc(MiB));
  program.push(null);
  program.end();
  await vi.advanceTimersByTimeAsync(50_000);
  client.resume();
  vi.useRealTimers();
  const [code] = await once(client, 'close');
  expect([code, bytes]).toEqual([1000, 1 + count * MiB]);
});

test('a slow program gets all that the client wrote before it left', async () => {
  program.isSlow = true;
  for (let piece = 0; piece < 3; piece++) client.send(Buffer.alloc(10, piece));
  client.send('{"eof":true}');
  program.push(null);
  await expect.poll(() => program.writableEnded).toBe(true);
  client.close(1000);
  await once(client, 'close');
  await served;
  while (!program.writableFinished) {
    expect(program.destroyed).toBe(false);
    program.takeOn();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(Buffer.concat(program.got)).toHaveLength(30);
  await expect.poll(() => program.destroyed).toBe(true);
});

test('a client that leaves in between breaks the connection', async () => {
  client.close(1000);
  await expect.poll(() => program.destroyed).toBe(true);
});

test('a connection that breaks is told', async () => {
  program.destroy(new Error('reset'));
  const [code] = await once(client, 'close');
  expect(code).toBe(1011);
});
