import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { encodeFrame, type Frame, FrameReader } from './frames.ts';
import { RealInit } from './testing/real-init.ts';
import { encodeStart } from './start-payload.ts';
import { FromInit, KEPT_ID_FIRST, PROTOCOL_VERSION, STDIN_WINDOW_BYTES, ToInit } from './wire.ts';

let init: RealInit;
let daemon: Server;
let silent: Server;
const peers: Socket[] = [];

beforeAll(async () => {
  init = await RealInit.spawn();
  daemon = createServer((socket) => peers.push(socket.on('error', () => {})));
  await rm(init.socketPath, { force: true });
  daemon.listen(init.socketPath);
  // Accepts, reads nothing, and says nothing.
  silent = createServer((socket) => socket.pause().on('error', () => {})).listen(0, '127.0.0.1');
  await Promise.all([once(daemon, 'listening'), once(silent, 'listening')]);
}, 60_000);
afterEach(() => {
  for (const socket of peers.splice(0)) socket.destroy();
});
afterAll(async () => {
  silent.close();
  daemon.close();
  await init[Symbol.asyncDispose]();
});

const port = () => {
  const address = silent.address();
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(typeof address === 'object' ? (address?.port ?? 0) : 0);
  return bytes;
};
const openFiles = async () => (await readdir(`/proc/${init.process.pid}/fd`)).length;

const gone = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

/** The init has been taken in; what it sends is collected. */
async function welcomed(): Promise<{ socket: Socket; frames: Frame[] }> {
  const socket = await vi.waitFor(
    () => {
      const peer = peers.find(({ destroyed }) => !destroyed);
      if (peer === undefined) throw new Error('the init has not come');
      return peer;
    },
    { timeout: 5_000 },
  );
  const frames: Frame[] = [];
  const reader = new FrameReader(1024 * 1024);
  socket.on('data', (chunk: Buffer) => frames.push(...reader.read(chunk)));
  await vi.waitFor(() => expect(frames[0]?.type).toBe(FromInit.hello));
  socket.write(encodeFrame(ToInit.helloOk, 0, Buffer.from([PROTOCOL_VERSION, 0])));
  return { socket, frames };
}

const start = (id: number, terminal: boolean) =>
  encodeFrame(
    ToInit.start,
    id,
    encodeStart({
      args: ['sleep', '60'],
      cwd: '/',
      env: {},
      user: 'root',
      ...(terminal ? { terminal: { columns: 80, rows: 24 } } : {}),
    }),
  );
const keep = (id: number) => {
  const spec = { args: ['sleep', '60'], cwd: '/', env: {}, user: 'root' };
  return encodeFrame(ToInit.start, id, encodeStart(spec, randomBytes(16).toString('hex')));
};
const resume = (id: number, offset: bigint) => {
  const payload = Buffer.alloc(16);
  payload.writeBigUInt64LE(offset);
  return encodeFrame(ToInit.resume, id, payload);
};
const connect = (id: number) => encodeFrame(ToInit.connect, id, port());
const data = (id: number, bytes: number) => encodeFrame(ToInit.stdin, id, Buffer.alloc(bytes));

test.each<[string, () => Buffer[]]>([
  ['a connection of the number 0', () => [connect(0)]],
  ['the number of a connection twice', () => [connect(1), connect(1)]],
  ['the number of a command for a connection', () => [start(1, false), connect(1)]],
  ['the number of a connection for a command', () => [connect(1), start(1, false)]],
  ['half a port', () => [encodeFrame(ToInit.connect, 1, Buffer.alloc(1))]],
  ['a signal for a connection', () => [connect(1), encodeFrame(ToInit.kill, 1, Buffer.from([9]))]],
  ['a size for a connection', () => [connect(1), encodeFrame(ToInit.resize, 1, Buffer.alloc(4))]],
  [
    'a size for no terminal',
    () => [start(1, false), encodeFrame(ToInit.resize, 1, Buffer.alloc(4))],
  ],
  ['half a size', () => [start(1, true), encodeFrame(ToInit.resize, 1, Buffer.alloc(2))]],
  ['a close of a command', () => [start(1, false), encodeFrame(ToInit.close, 1)]],
  ['a close with bytes', () => [connect(1), encodeFrame(ToInit.close, 1, Buffer.alloc(1))]],
  [
    'a terminal of no size',
    () => [encodeFrame(ToInit.start, 1, Buffer.from([7, 2, 0, 0, 0, 1, 1]))],
  ],
  ['a number of the init', () => [start(KEPT_ID_FIRST, false)]],
  ['half a key', () => [encodeFrame(ToInit.start, 1, Buffer.from([8, 2, 0, 0, 0, 1, 1]))]],
  ['a resume of nothing', () => [resume(1, 0n)]],
  ['a resume of what is not kept', () => [start(1, false), resume(1, 0n)]],
  ['a resume of what was just started', () => [keep(1), resume(1, 0n)]],
  ['half a resume', () => [keep(1), encodeFrame(ToInit.resume, 1, Buffer.alloc(8))]],
  ['a resume beyond what there is', () => [keep(1), resume(KEPT_ID_FIRST, 1n)]],
  ['forgetting what is not kept', () => [start(1, false), encodeFrame(ToInit.forget, 1)]],
  [
    'credit for what was not sent',
    () => [keep(1), encodeFrame(ToInit.credit, 1, Buffer.from([1, 1, 0, 0, 0]))],
  ],
  [
    'credit of stderr',
    () => [connect(1), encodeFrame(ToInit.credit, 1, Buffer.from([2, 1, 0, 0, 0]))],
  ],
])('%s ends the connection, and nothing of it stays', async (_name, make) => {
  const before = await welcomed().then(async ({ socket }) => {
    await sleep(20);
    const files = await openFiles();
    for (const frame of make()) socket.write(frame);
    await gone(socket);
    return files;
  });
  const { socket } = await welcomed();
  await vi.waitFor(async () => expect(await openFiles()).toBeLessThanOrEqual(before + 2));
  expect(socket.destroyed).toBe(false);
});

test.each([
  ['data', (id: number) => Array.from({ length: 200 }, () => data(id, STDIN_WINDOW_BYTES - 16))],
  ['credit', (id: number) => [encodeFrame(ToInit.credit, id, Buffer.from([1, 0, 0, 0, 1]))]],
])('a connection with too much %s ends everything', async (_name, frames) => {
  const { socket, frames: got } = await welcomed();
  socket.write(connect(1));
  await vi.waitFor(() => expect(got.at(-1)?.type).toBe(FromInit.connected));
  for (const frame of frames(1)) socket.write(frame);
  await gone(socket);
});

test('the 1,025th connection is refused, and all are gone with the daemon', async () => {
  const { socket, frames } = await welcomed();
  await sleep(20);
  const before = await openFiles();
  for (let id = 1; id <= 1025; id++) socket.write(connect(id));
  await vi.waitFor(
    () => expect(frames.filter(({ id }) => id > 0 && id <= 1025)).toHaveLength(1025),
    10_000,
  );
  const refused = frames.find(({ type }) => type === FromInit.connectFailed);
  expect(refused).toMatchObject({ id: 1025 });
  expect(refused?.payload.readUInt32LE(0)).toBe(24);
  socket.destroy();
  await welcomed();
  await vi.waitFor(async () => expect(await openFiles()).toBeLessThanOrEqual(before + 2));
}, 20_000);

test('frames for a connection that has ended are none of its business', async () => {
  const { socket, frames } = await welcomed();
  socket.write(connect(1));
  await vi.waitFor(() => expect(frames.at(-1)?.type).toBe(FromInit.connected));
  socket.write(encodeFrame(ToInit.close, 1));
  await vi.waitFor(() => expect(frames.at(-1)?.type).toBe(FromInit.closed));
  const after = [ToInit.stdinClose, ToInit.close].map((type) => encodeFrame(type, 1));
  after.push(data(1, 10), encodeFrame(ToInit.credit, 1, Buffer.from([1, 1, 0, 0, 0])));
  after.push(encodeFrame(ToInit.ping, 0, Buffer.alloc(8)));
  for (const frame of after) socket.write(frame);
  await vi.waitFor(() => expect(frames.at(-1)?.type).toBe(FromInit.pong));
});
