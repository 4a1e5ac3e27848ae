import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { encodeFrame, type Frame, FrameReader } from './frames.ts';
import { InitChannel } from './init-channel.ts';
import type { InitCommand } from './running-command.ts';
import { FromInit, OUTPUT_WINDOW_BYTES, PROTOCOL_VERSION, ToInit } from './wire.ts';

const token = randomBytes(32).toString('hex');
const spec = { args: ['true'], cwd: '/', env: {}, user: 'root' };

let directory: string;
let socketPath: string;
let channel: InitChannel;
let logged: string[];
const sockets: Socket[] = [];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'init-'));
  socketPath = path.join(directory, 's');
  logged = [];
  channel = await InitChannel.listen({ socketPath, token, onLog: (text) => logged.push(text) });
});

afterEach(async () => {
  vi.useRealTimers();
  for (const socket of sockets.splice(0)) socket.destroy();
  await channel[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

async function dial(): Promise<Socket> {
  for (;;) {
    const socket = connect(socketPath);
    sockets.push(socket);
    const [problem] = await Promise.race([
      once(socket, 'connect').then(() => []),
      once(socket, 'error'),
    ]);
    if (problem === undefined) return socket.on('error', () => {});
    await sleep(10);
  }
}

function hello(withToken: string, version = PROTOCOL_VERSION): Buffer {
  return encodeFrame(
    FromInit.hello,
    0,
    Buffer.concat([Buffer.from([version, 0]), Buffer.from(withToken)]),
  );
}

/** A peer that has authenticated, and all that it was sent. */
async function authenticated(): Promise<{ socket: Socket; frames: Frame[] }> {
  const socket = await dial();
  const frames: Frame[] = [];
  const reader = new FrameReader(1024 * 1024);
  socket.on('data', (chunk: Buffer) => frames.push(...reader.read(chunk)));
  socket.write(hello(token));
  await vi.waitFor(() => expect(frames[0]?.type).toBe(ToInit.helloOk));
  return { socket, frames };
}

/** A command that the peer says it runs. */
async function running(): Promise<{ socket: Socket; command: InitCommand; id: number }> {
  const { socket, frames } = await authenticated();
  const starting = channel.start({ ...spec, stdin: true });
  const id = await vi.waitFor(() => {
    const start = frames.find((frame) => frame.type === ToInit.start);
    expect(start).toBeDefined();
    return start?.id ?? 0;
  });
  socket.write(encodeFrame(FromInit.started, id, Buffer.from([7, 0, 0, 0])));
  return { socket, command: await starting, id };
}

function closed(socket: Socket): Promise<unknown> {
  return socket.destroyed ? Promise.resolve() : once(socket.resume(), 'close');
}

describe('a peer without the token', () => {
  test.each([
    ['a wrong token', hello('x'.repeat(64))],
    ['a prefix of the token', hello(token.slice(0, 63))],
    ['another version', hello(token, 4)],
    ['an unknown flag', encodeFrame(FromInit.hello, 0, Buffer.from(`\x02\x07${token}`))],
    ['another frame first', encodeFrame(FromInit.log, 0, Buffer.from('hi'))],
    ['an oversize frame', Buffer.from([0xff, 0xff, 0xff, 0x7f, 1])],
    ['garbage', randomBytes(4096)],
  ])('%s is dropped', async (_name, bytes) => {
    const socket = await dial();
    socket.write(bytes);
    await closed(socket);
    expect(channel.connected).toBe(false);
  });

  test('silence is dropped after five seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const socket = connect(socketPath);
    sockets.push(socket);
    await once(socket, 'connect');
    socket.resume().write(hello(token).subarray(0, 20));
    // The clock of this peer starts when the channel has seen it.
    while (!socket.closed) {
      await new Promise((resolve) => setImmediate(resolve));
      await vi.advanceTimersByTimeAsync(5_100);
    }
    expect(channel.connected).toBe(false);
  });

  test('many silent ones do not keep the real one out', async () => {
    for (let i = 0; i < 40; i++) await dial();
    const { socket } = await authenticated();
    expect(channel.connected).toBe(true);
    expect(socket.destroyed).toBe(false);
  });
});

describe('the socket', () => {
  test('is there only while no init is connected', async () => {
    expect((await stat(socketPath)).mode & 0o777).toBe(0o666);
    const { socket } = await authenticated();
    await vi.waitFor(() => expect(stat(socketPath)).rejects.toThrow('ENOENT'));
    socket.destroy();
    await vi.waitFor(() => stat(socketPath));
    await authenticated();
    expect(channel.connected).toBe(true);
  });

  test('who waited for it is dropped once an init is connected', async () => {
    const late = await dial();
    const { command, socket, id } = await running();
    late.write(hello(token));
    await closed(late);
    socket.write(encodeFrame(FromInit.exit, id, Buffer.from([0, 0, 0])));
    expect(await command.exit).toMatchObject({ exitCode: 0 });
  });

  test('a path that is too long is a clear error', async () => {
    const long = path.join(directory, 'x'.repeat(100));
    await expect(InitChannel.listen({ socketPath: long, token })).rejects.toThrow('107');
  });

  test('whenConnected gives up in time and on abort', async () => {
    await expect(channel.whenConnected(20)).rejects.toMatchObject({ kind: 'disconnected' });
    const reason = new Error('enough');
    await expect(channel.whenConnected(5_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(channel.start(spec)).rejects.toMatchObject({ kind: 'disconnected' });
  });
});

describe('an init that breaks the protocol is dropped, and its commands fail', () => {
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  test.each<[string, (id: number) => Buffer]>([
    ['garbage', () => Buffer.alloc(64, 0xee)],
    ['an oversize frame', () => u32(1024 * 1024 + 1)],
    ['a frame without a head', () => u32(4)],
    ['an unknown type', (id) => encodeFrame(0x99, id)],
    ['a type of the other direction', (id) => encodeFrame(ToInit.start, id)],
    ['an unknown command', (id) => encodeFrame(FromInit.stdout, id + 1, Buffer.from('x'))],
    ['a second start', (id) => encodeFrame(FromInit.started, id, u32(8))],
    ['a failure after the start', (id) => encodeFrame(FromInit.startFailed, id, Buffer.alloc(5))],
    ['a second HELLO', () => hello(token)],
    ['empty output', (id) => encodeFrame(FromInit.stdout, id)],
    ['stdin credit for nothing', (id) => encodeFrame(FromInit.stdinCredit, id, u32(1))],
    ['a short exit', (id) => encodeFrame(FromInit.exit, id, Buffer.alloc(2))],
    ['an answer to no ping', () => encodeFrame(FromInit.pong, 0, Buffer.alloc(8, 1))],
    ['an answer of the wrong length', () => encodeFrame(FromInit.pong, 0, Buffer.alloc(10, 1))],
    ['no answer at all', () => encodeFrame(FromInit.pong, 0, Buffer.alloc(0))],
    [
      'output beyond its credit',
      (id) => {
        const part = encodeFrame(FromInit.stderr, id, Buffer.alloc(OUTPUT_WINDOW_BYTES / 2));
        return Buffer.concat([part, part, encodeFrame(FromInit.stderr, id, Buffer.from('x'))]);
      },
    ],
  ])('%s', async (_name, frame) => {
    const { socket, command, id } = await running();
    socket.write(frame(id));
    await expect(command.exit).rejects.toMatchObject({ kind: 'protocol' });
    await closed(socket);
    expect(command.stdout.destroyed).toBe(true);
    expect(logged.join()).toContain('dropped');
    await authenticated();
  });

  test('half a frame is just not there yet', async () => {
    const { socket, command, id } = await running();
    const frames = Buffer.concat([
      encodeFrame(FromInit.stdout, id, Buffer.from('hello')),
      encodeFrame(FromInit.exit, id, Buffer.from([3, 0, 0])),
    ]);
    for (const byte of frames) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await command.stdout.toArray()).toEqual([Buffer.from('hello')]);
    expect(await command.exit).toEqual({ exitCode: 3, timedOut: false, oomKilled: false });
  });

  test('a flood of log lines is cut', async () => {
    const { socket } = await authenticated();
    const line = encodeFrame(FromInit.log, 0, Buffer.alloc(10_000, 'x'));
    for (let i = 0; i < 1200; i++) socket.write(line);
    await vi.waitFor(() => expect(logged.at(-1)).toContain('too many'), 5_000);
    expect(logged.length).toBeLessThan(1100);
    expect(Math.max(...logged.map((text) => text.length))).toBeLessThanOrEqual(4096);
  });
});

describe('an init that falls silent', () => {
  test('a start without an answer fails after ten seconds, and the command is killed', async () => {
    const { frames, socket } = await authenticated();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const starting = channel.start(spec);
    const outcome = expect(starting).rejects.toMatchObject({ kind: 'unresponsive' });
    await vi.advanceTimersByTimeAsync(10_000);
    await outcome;
    vi.useRealTimers();
    await vi.waitFor(() => expect(frames.at(-1)?.type).toBe(ToInit.kill));
    // A late answer is no violation.
    const id = frames.at(-1)?.id ?? 0;
    socket.write(encodeFrame(FromInit.started, id, Buffer.from([9, 0, 0, 0])));
    socket.write(encodeFrame(FromInit.exit, id, Buffer.from([0, 9, 0])));
    await sleep(50);
    expect(channel.connected).toBe(true);
  });

  test('running commands fail when pings stay unanswered; the channel stays', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
    const { command } = await running();
    const outcome = expect(command.exit).rejects.toMatchObject({ kind: 'unresponsive' });
    await vi.advanceTimersByTimeAsync(16_000);
    await outcome;
    expect(channel.connected).toBe(true);
  });

  test('a ping fails in time', async () => {
    await authenticated();
    await expect(channel.ping(20)).rejects.toMatchObject({ kind: 'unresponsive' });
  });

  test('going away fails everything and is told', async () => {
    const told = vi.fn();
    channel.onDisconnect(told);
    const { socket, command } = await running();
    const ping = expect(channel.ping(5_000)).rejects.toMatchObject({ kind: 'disconnected' });
    socket.destroy();
    await expect(command.exit).rejects.toMatchObject({ kind: 'disconnected' });
    await ping;
    expect(told).toHaveBeenCalledTimes(1);
    expect(channel.connected).toBe(false);
  });
});
