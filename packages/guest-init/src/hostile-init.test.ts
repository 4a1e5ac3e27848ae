import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { closed, FakeInit, spec, u32 } from './testing/fake-init.ts';
import { encodeFrame } from './frames.ts';
import { InitChannel } from './init-channel.ts';
import { FromInit, OUTPUT_WINDOW_BYTES, ToInit } from './wire.ts';

let fake: FakeInit;
let channel: InitChannel;

beforeEach(async () => {
  fake = await FakeInit.open();
  channel = fake.channel;
});

afterEach(async () => {
  vi.useRealTimers();
  await fake[Symbol.asyncDispose]();
});

describe('a peer without the token', () => {
  test.each<[string, () => Buffer]>([
    ['a wrong token', () => fake.hello('x'.repeat(64))],
    ['a prefix of the token', () => fake.hello(fake.token.slice(0, 63))],
    ['another version', () => fake.hello(fake.token, 5)],
    ['an unknown flag', () => encodeFrame(FromInit.hello, 0, Buffer.from(`\x02\x07${fake.token}`))],
    ['another frame first', () => encodeFrame(FromInit.log, 0, Buffer.from('hi'))],
    ['an oversize frame', () => Buffer.from([0xff, 0xff, 0xff, 0x7f, 1])],
    ['garbage', () => randomBytes(4096)],
  ])('%s is dropped', async (_name, make) => {
    const socket = await fake.dial();
    socket.write(make());
    await closed(socket);
    expect(channel.connected).toBe(false);
  });

  test('silence is dropped after five seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const socket = connect(fake.socketPath);
    await once(socket, 'connect');
    socket.resume().write(fake.hello().subarray(0, 20));
    // The clock of this peer starts when the channel has seen it.
    while (!socket.closed) {
      await new Promise((resolve) => setImmediate(resolve));
      await vi.advanceTimersByTimeAsync(5_100);
    }
    expect(channel.connected).toBe(false);
  });

  test('many silent ones do not keep the real one out', async () => {
    for (let i = 0; i < 40; i++) await fake.dial();
    const { socket } = await fake.authenticated();
    expect(channel.connected).toBe(true);
    expect(socket.destroyed).toBe(false);
  });
});

describe('the socket', () => {
  test('is there only while no init is connected', async () => {
    expect((await stat(fake.socketPath)).mode & 0o777).toBe(0o666);
    const { socket } = await fake.authenticated();
    await vi.waitFor(() => expect(stat(fake.socketPath)).rejects.toThrow('ENOENT'));
    socket.destroy();
    await vi.waitFor(() => stat(fake.socketPath));
    await fake.authenticated();
    expect(channel.connected).toBe(true);
  });

  test('who waited for it is dropped once an init is connected', async () => {
    const late = await fake.dial();
    const { command, socket, id } = await fake.running();
    late.write(fake.hello());
    await closed(late);
    socket.write(encodeFrame(FromInit.exit, id, Buffer.from([0, 0, 0])));
    expect(await command.exit).toMatchObject({ exitCode: 0 });
  });

  test('a path that is too long is a clear error', async () => {
    const long = path.join(fake.directory, 'x'.repeat(100));
    await expect(InitChannel.listen({ socketPath: long, token: fake.token })).rejects.toThrow(
      '107',
    );
  });

  test('whenConnected gives up in time and on abort', async () => {
    await expect(channel.whenConnected(20)).rejects.toMatchObject({ kind: 'disconnected' });
    const reason = new Error('enough');
    await expect(channel.whenConnected(5_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(channel.start(spec)).rejects.toMatchObject({ kind: 'disconnected' });
  });
});

describe('an init that breaks the protocol is dropped, and its commands fail', () => {
  test.each<[string, (id: number) => Buffer]>([
    ['garbage', () => Buffer.alloc(64, 0xee)],
    ['an oversize frame', () => u32(1024 * 1024 + 1)],
    ['a frame without a head', () => u32(4)],
    ['an unknown type', (id) => encodeFrame(0x99, id)],
    ['a type of the other direction', (id) => encodeFrame(ToInit.start, id)],
    ['an unknown command', (id) => encodeFrame(FromInit.stdout, id + 1, Buffer.from('x'))],
    ['a second start', (id) => encodeFrame(FromInit.started, id, u32(8))],
    ['a failure after the start', (id) => encodeFrame(FromInit.startFailed, id, Buffer.alloc(5))],
    ['a second HELLO', () => fake.hello()],
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
    const { socket, command, id } = await fake.running();
    socket.write(frame(id));
    await expect(command.exit).rejects.toMatchObject({ kind: 'protocol' });
    await closed(socket);
    expect(command.stdout.destroyed).toBe(true);
    expect(fake.logged.join()).toContain('dropped');
    await fake.authenticated();
  });

  test('half a frame is just not there yet', async () => {
    const { socket, command, id } = await fake.running();
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
    const { socket } = await fake.authenticated();
    const line = encodeFrame(FromInit.log, 0, Buffer.alloc(10_000, 'x'));
    for (let i = 0; i < 1200; i++) socket.write(line);
    await vi.waitFor(() => expect(fake.logged.at(-1)).toContain('too many'), 5_000);
    expect(fake.logged.length).toBeLessThan(1100);
    expect(Math.max(...fake.logged.map((text) => text.length))).toBeLessThanOrEqual(4096);
  });
});

describe('an init that falls silent', () => {
  test('a start without an answer fails after ten seconds, and the command is killed', async () => {
    const { frames, socket } = await fake.authenticated();
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
    const { command } = await fake.running();
    const outcome = expect(command.exit).rejects.toMatchObject({ kind: 'unresponsive' });
    await vi.advanceTimersByTimeAsync(16_000);
    await outcome;
    expect(channel.connected).toBe(true);
  });

  test('a ping fails in time', async () => {
    await fake.authenticated();
    await expect(channel.ping(20)).rejects.toMatchObject({ kind: 'unresponsive' });
  });

  test('going away fails everything and is told', async () => {
    const told = vi.fn();
    channel.onDisconnect(told);
    const { socket, command } = await fake.running();
    const ping = expect(channel.ping(5_000)).rejects.toMatchObject({ kind: 'disconnected' });
    socket.destroy();
    await expect(command.exit).rejects.toMatchObject({ kind: 'disconnected' });
    await ping;
    expect(told).toHaveBeenCalledTimes(1);
    expect(channel.connected).toBe(false);
  });
});
