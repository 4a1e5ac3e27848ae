import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { arrived, closed, FakeInit, spec, u32 } from './testing/fake-init.ts';
import { encodeFrame } from './frames.ts';
import type { InitChannel } from './init-channel.ts';
import { FromInit, OUTPUT_WINDOW_BYTES, PROTOCOL_VERSION_SECOND, ToInit } from './wire.ts';

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

describe('an init that breaks the protocol of ports is dropped, and the connection breaks', () => {
  test.each<[string, (id: number) => Buffer]>([
    ['an exit', (id) => encodeFrame(FromInit.exit, id, Buffer.alloc(3))],
    ['stderr', (id) => encodeFrame(FromInit.stderr, id, Buffer.from('x'))],
    ['a second connection', (id) => encodeFrame(FromInit.connected, id)],
    ['a failure after it', (id) => encodeFrame(FromInit.connectFailed, id, u32(111))],
    ['nothing as data', (id) => encodeFrame(FromInit.stdout, id)],
    ['credit for nothing', (id) => encodeFrame(FromInit.stdinCredit, id, u32(1))],
    ['a long end', (id) => encodeFrame(FromInit.streamEnd, id, u32(0))],
    ['a short close', (id) => encodeFrame(FromInit.closed, id, Buffer.alloc(3))],
    ['another connection', (id) => encodeFrame(FromInit.closed, id + 1, u32(0))],
    ['the same as command', (id) => encodeFrame(FromInit.started, id, u32(1))],
    [
      'data after the end',
      (id) =>
        Buffer.concat([
          encodeFrame(FromInit.streamEnd, id),
          encodeFrame(FromInit.stdout, id, Buffer.from('x')),
        ]),
    ],
    [
      'two ends',
      (id) => Buffer.concat([encodeFrame(FromInit.streamEnd, id), encodeFrame(0x8e, id)]),
    ],
    [
      'data beyond its credit',
      (id) => {
        const part = encodeFrame(FromInit.stdout, id, Buffer.alloc(OUTPUT_WINDOW_BYTES / 2));
        return Buffer.concat([part, part, encodeFrame(FromInit.stdout, id, Buffer.from('x'))]);
      },
    ],
  ])('%s', async (_name, frame) => {
    const { socket, port, id } = await fake.connected();
    socket.write(frame(id));
    await closed(socket);
    await vi.waitFor(() => expect(port.destroyed).toBe(true));
    expect(fake.logged.join()).toContain('dropped');
    await fake.authenticated();
  });

  test.each<[string, number, Buffer]>([
    ['data', FromInit.stdout, Buffer.from('x')],
    ['an end', FromInit.streamEnd, Buffer.alloc(0)],
    ['credit', FromInit.stdinCredit, u32(1)],
    ['an errno too short', FromInit.connectFailed, Buffer.alloc(1)],
    ['a program', FromInit.started, u32(1)],
  ])('%s before a connection', async (_name, type, payload) => {
    const { socket, frames } = await fake.authenticated();
    const connecting = channel.connect(80);
    const outcome = expect(connecting).rejects.toMatchObject({ kind: 'protocol' });
    const { id } = await arrived(frames, ToInit.connect);
    socket.write(encodeFrame(type, id, payload));
    await outcome;
    await closed(socket);
  });
});

describe('connections to ports', () => {
  test('an errno that there is not is told as it is', async () => {
    const { socket, port, id } = await fake.connected();
    const broken = once(port, 'error');
    socket.write(encodeFrame(FromInit.closed, id, Buffer.alloc(4, 0xff)));
    expect((await broken)[0]).toMatchObject({ code: 'errno -1' });
    expect(channel.connected).toBe(true);
  });

  test('one that nobody reads holds no more than its window', async () => {
    const { socket, frames, port, id } = await fake.connected();
    for (let i = 0; i < 4; i++)
      socket.write(encodeFrame(FromInit.stdout, id, Buffer.alloc(OUTPUT_WINDOW_BYTES / 4)));
    await sleep(50);
    expect(frames.some(({ type }) => type === ToInit.credit)).toBe(false);
    port.destroy();
    await vi.waitFor(() => expect(frames.at(-1)?.type).toBe(ToInit.close));
    socket.write(encodeFrame(FromInit.closed, id, u32(103)));
    await sleep(20);
    expect(channel.connected).toBe(true);
  });

  test('an init that never answers is given up on, and told', async () => {
    const { frames } = await fake.authenticated();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const outcome = expect(channel.connect(80)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    await vi.advanceTimersByTimeAsync(10_000);
    await outcome;
    vi.useRealTimers();
    await vi.waitFor(() => expect(frames.at(-1)?.type).toBe(ToInit.close));
  });

  test('there are at most 1,024, those included that the init does not end', async () => {
    const { frames, socket } = await fake.authenticated();
    const all = Array.from({ length: 1024 }, () => channel.connect(80));
    await expect(channel.connect(80)).rejects.toMatchObject({ code: 'EMFILE' });
    await vi.waitFor(() => expect(frames).toHaveLength(1025), 5_000);
    socket.destroy();
    const ends = await Promise.allSettled(all);
    expect(ends.every(({ status }) => status === 'rejected')).toBe(true);
  });

  test('an init of an earlier release is not asked for them, nor for terminals', async () => {
    const socket = await fake.dial();
    socket.resume().write(fake.hello(fake.token, PROTOCOL_VERSION_SECOND));
    await channel.whenConnected(5_000);
    const terminal = { columns: 80, rows: 24 };
    const refused = { kind: 'outdated' };
    await expect(channel.connect(80)).rejects.toMatchObject(refused);
    await expect(channel.start({ ...spec, terminal })).rejects.toMatchObject(refused);
    expect(channel.connected).toBe(true);
  });
});
