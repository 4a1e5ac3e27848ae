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
import { FromInit, PROTOCOL_VERSION, PROTOCOL_VERSION_FIRST, ToInit } from './wire.ts';

const token = randomBytes(32).toString('hex');
const spec = { args: ['true'], cwd: '/', env: {}, user: 'root' };

let directory: string;
let socketPath: string;
let channel: InitChannel;
const sockets: Socket[] = [];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'init-'));
  socketPath = path.join(directory, 's');
  channel = await InitChannel.listen({ socketPath, token });
});

afterEach(async () => {
  vi.useRealTimers();
  for (const socket of sockets.splice(0)) socket.destroy();
  await channel[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

interface Peer {
  readonly socket: Socket;
  readonly frames: Frame[];
}

/** A peer with the token; `head` is what it says of itself before that. */
async function dial(head: readonly number[] = [PROTOCOL_VERSION, 0]): Promise<Peer> {
  await vi.waitFor(() => stat(socketPath));
  const socket = connect(socketPath);
  sockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  const frames: Frame[] = [];
  const reader = new FrameReader(1024 * 1024);
  socket.on('data', (chunk: Buffer) => frames.push(...reader.read(chunk)));
  socket.write(
    encodeFrame(FromInit.hello, 0, Buffer.concat([Buffer.from(head), Buffer.from(token)])),
  );
  await vi.waitFor(() => expect(frames[0]?.type).toBe(ToInit.helloOk));
  return { socket, frames };
}

async function running({ socket, frames }: Peer): Promise<{ command: InitCommand; id: number }> {
  const starting = channel.start({ ...spec, stdin: true });
  const id = await vi.waitFor(() => {
    const start = frames.find((frame) => frame.type === ToInit.start);
    expect(start).toBeDefined();
    return start?.id ?? 0;
  });
  socket.write(encodeFrame(FromInit.started, id, Buffer.from([7, 0, 0, 0])));
  return { command: await starting, id };
}

const asked = (peer: Peer) =>
  vi.waitFor(() => expect(peer.frames.at(-1)?.type).toBe(ToInit.suspend));

/** Suspends properly. */
async function suspended(peer: Peer): Promise<void> {
  const done = channel.suspend(5_000);
  await asked(peer);
  peer.socket.end(encodeFrame(FromInit.suspended, 0));
  await done;
}

describe('an init that lies about its suspension', () => {
  test.each([
    ['a suspension', encodeFrame(FromInit.suspended, 0)],
    ['a refusal', encodeFrame(FromInit.notSuspended, 0, Buffer.from('no'))],
  ])('%s that nobody asked for is a violation', async (_name, frame) => {
    const peer = await dial();
    const { command } = await running(peer);
    peer.socket.write(frame);
    await expect(command.exit).rejects.toMatchObject({ kind: 'protocol' });
  });

  test('frames after it are a violation', async () => {
    const peer = await dial();
    const { command, id } = await running(peer);
    const suspending = expect(channel.suspend(5_000)).rejects.toMatchObject({ kind: 'protocol' });
    await asked(peer);
    peer.socket.write(encodeFrame(FromInit.suspended, 0));
    peer.socket.write(encodeFrame(FromInit.stdout, id, Buffer.from('more')));
    await suspending;
    await expect(command.exit).rejects.toMatchObject({ kind: 'protocol' });
    await dial();
    expect(channel.connected).toBe(true);
  });

  test.each([true, false])('one that keeps its connection (says so: %s) loses it', async (says) => {
    const peer = await dial();
    const { command } = await running(peer);
    const suspending = expect(channel.suspend(100)).rejects.toMatchObject({ kind: 'unresponsive' });
    await asked(peer);
    if (says) peer.socket.write(encodeFrame(FromInit.suspended, 0));
    await suspending;
    await expect(command.exit).rejects.toMatchObject({ kind: 'unresponsive' });
    await dial();
  });

  test('one that goes away instead is disconnected', async () => {
    const peer = await dial();
    const { command } = await running(peer);
    const suspending = expect(channel.suspend(5_000)).rejects.toMatchObject({
      kind: 'disconnected',
    });
    await asked(peer);
    peer.socket.destroy();
    await suspending;
    await expect(command.exit).rejects.toMatchObject({ kind: 'disconnected' });
  });
});

describe('an init that refuses', () => {
  test('says why in bounded words, and all goes on', async () => {
    const peer = await dial();
    const { command, id } = await running(peer);
    const refusal = channel.suspend(5_000).catch((error: unknown) => error);
    await asked(peer);
    const meanwhile = channel.start(spec);
    peer.socket.write(encodeFrame(FromInit.notSuspended, 0, Buffer.alloc(100_000, 'y')));
    const error = await refusal;
    expect(error).toMatchObject({ kind: 'not_suspended' });
    expect(String(error).length).toBeLessThan(600);
    expect(channel.connected).toBe(true);
    await vi.waitFor(() => expect(peer.frames.at(-1)?.type).toBe(ToInit.start));
    const second = peer.frames.at(-1)?.id ?? 0;
    peer.socket.write(encodeFrame(FromInit.started, second, Buffer.from([8, 0, 0, 0])));
    expect((await meanwhile).pid).toBe(8);
    peer.socket.write(encodeFrame(FromInit.exit, id, Buffer.from([0, 0, 0])));
    expect((await command.exit).exitCode).toBe(0);
  });
});

describe('an init that comes back', () => {
  test('nothing can connect before it may', async () => {
    await suspended(await dial());
    await sleep(50);
    await expect(stat(socketPath)).rejects.toThrow('ENOENT');
    channel.resume();
    const peer = await dial([PROTOCOL_VERSION, 1]);
    expect([...(peer.frames[0]?.payload ?? [])]).toEqual([PROTOCOL_VERSION, 1]);
  });

  test('without its commands: they fail', async () => {
    const peer = await dial();
    const { command } = await running(peer);
    await suspended(peer);
    channel.resume();
    const back = await dial([PROTOCOL_VERSION, 0]);
    expect([...(back.frames[0]?.payload ?? [])]).toEqual([PROTOCOL_VERSION, 0]);
    await expect(command.exit).rejects.toMatchObject({ kind: 'disconnected' });
  });

  test('with commands that nobody waits for: it is told to forget them', async () => {
    const peer = await dial([PROTOCOL_VERSION, 1]);
    expect([...(peer.frames[0]?.payload ?? [])]).toEqual([PROTOCOL_VERSION, 0]);
  });

  test('what waits for it is bounded', async () => {
    const peer = await dial();
    const { command } = await running(peer);
    await suspended(peer);
    const large = { ...spec, env: { X: 'x'.repeat(1_000_000) } };
    const starts = Array.from({ length: 10 }, () => channel.start(large));
    for (const start of starts) await expect(start).rejects.toMatchObject({ kind: 'unresponsive' });
    await expect(command.exit).rejects.toMatchObject({ kind: 'unresponsive' });
  });
});

test('an init of the first release is spoken to in its words, and loses its commands', async () => {
  const peer = await dial([PROTOCOL_VERSION_FIRST]);
  expect([...(peer.frames[0]?.payload ?? [])]).toEqual([PROTOCOL_VERSION_FIRST]);
  channel.setMemoryLimit(1);
  const { command } = await running(peer);
  await channel.suspend(5_000);
  await expect(command.exit).rejects.toMatchObject({ kind: 'disconnected' });
  expect(peer.frames.map(({ type }) => type)).toEqual([ToInit.helloOk, ToInit.start]);
  channel.resume();
  await dial([PROTOCOL_VERSION_FIRST]);
  expect(channel.connected).toBe(true);
});

test('the silence of a frozen init is held against nobody', async () => {
  const peer = await dial();
  const { command, id } = await running(peer);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  channel.setQuiet(true);
  const starting = channel.start(spec);
  await vi.advanceTimersByTimeAsync(120_000);
  channel.setQuiet(false);
  vi.useRealTimers();
  await vi.waitFor(() => expect(peer.frames.at(-1)?.type).toBe(ToInit.start));
  const second = peer.frames.at(-1)?.id ?? 0;
  peer.socket.write(encodeFrame(FromInit.started, second, Buffer.from([9, 0, 0, 0])));
  expect((await starting).pid).toBe(9);
  peer.socket.write(encodeFrame(FromInit.exit, id, Buffer.from([4, 0, 0])));
  expect((await command.exit).exitCode).toBe(4);
});
