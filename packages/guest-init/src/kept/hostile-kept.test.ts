import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeFrame, type Frame, FrameReader } from '../frames.ts';
import { InitChannel } from '../init-channel.ts';
import { MemoryOwner } from '../testing/memory-owner.ts';
import { until } from '../testing/until.ts';
import {
  FromInit,
  KEPT_ID_FIRST,
  KEPT_MAX,
  OUTPUT_WINDOW_BYTES,
  PROTOCOL_VERSION,
  PROTOCOL_VERSION_THIRD,
  ToInit,
} from '../wire.ts';
import { KeptProcesses } from './kept-processes.ts';

const token = randomBytes(32).toString('hex');
const known = 'a'.repeat(32);
const spec = { args: ['true'], cwd: '/', env: {}, user: 'root', stdin: true };

let directory: string;
let channel: InitChannel;
let kept: KeptProcesses;
let owner: MemoryOwner;
const logged: string[] = [];
const sockets: Socket[] = [];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'kept-'));
  kept = new KeptProcesses();
  owner = new MemoryOwner(known);
  owner.received[0] = 100;
  owner.process = kept.add(owner);
  logged.length = 0;
  const socketPath = path.join(directory, 's');
  channel = await InitChannel.listen({
    socketPath,
    token,
    kept,
    onLog: (text) => logged.push(text),
  });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await channel[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

interface Peer {
  readonly socket: Socket;
  readonly frames: Frame[];
}

async function dial(version = PROTOCOL_VERSION): Promise<Peer> {
  const socket = await until(async () => {
    const dialled = connect(path.join(directory, 's'));
    await once(dialled, 'connect');
    return dialled;
  });
  sockets.push(socket.on('error', () => {}));
  const frames: Frame[] = [];
  const reader = new FrameReader(1024 * 1024);
  socket.on('data', (chunk: Buffer) => frames.push(...reader.read(chunk)));
  const hello = Buffer.concat([Buffer.from([version, 0]), Buffer.from(token)]);
  socket.write(encodeFrame(FromInit.hello, 0, hello));
  await until(() => expect(frames[0]?.type).toBe(ToInit.helloOk));
  return { socket, frames };
}

interface Said {
  readonly key?: string;
  readonly flags?: number;
  readonly acknowledged?: readonly [bigint, bigint];
  readonly taken?: bigint;
  readonly credit?: number;
}

/** A KEPT frame. */
function word(id: number, said: Said = {}): Buffer {
  const { key = known, flags = 0, acknowledged = [0n, 0n], taken = 0n, credit = 65_536 } = said;
  const payload = Buffer.alloc(49);
  payload.write(key, 0, 'hex');
  payload.writeUInt32LE(7, 16);
  payload.writeUInt8(flags, 20);
  payload.writeBigUInt64LE(acknowledged[0], 21);
  payload.writeBigUInt64LE(acknowledged[1], 29);
  payload.writeBigUInt64LE(taken, 37);
  payload.writeUInt32LE(credit, 45);
  return encodeFrame(FromInit.kept, id, payload);
}

const listEnd = encodeFrame(FromInit.keptEnd, 0);
const first = KEPT_ID_FIRST;
const random = (index: number) => String(index).padStart(32, '0');

const dropped = (peer: Peer, reason: RegExp) =>
  until(() => {
    expect(logged.join('\n')).toMatch(reason);
    expect(peer.socket.destroyed || peer.socket.readableEnded).toBe(true);
  });

describe('an init that lies about what it keeps', () => {
  test.each<readonly [string, readonly Buffer[], RegExp]>([
    ['tells of one twice', [word(first), word(first + 1)], /out of order/],
    ['uses a number twice', [word(first), word(first, { key: random(1) })], /out of order/],
    ['uses a number of the daemon', [word(1)], /out of order/],
    ['tells of one after the end', [listEnd, word(first)], /out of order/],
    ['ends twice', [listEnd, listEnd], /second list/],
    ['an end about something', [encodeFrame(FromInit.keptEnd, first)], /second list/],
    ['half a word', [encodeFrame(FromInit.kept, first, Buffer.alloc(48))], /malformed/],
    ['an offset beyond all', [word(first, { acknowledged: [2n ** 63n, 0n] })], /malformed/],
    ['a stdin beyond all', [word(first, { flags: 2, taken: 2n ** 60n })], /malformed/],
    ['a credit beyond all', [word(first, { flags: 2, credit: 65_537 })], /cannot be/],
    [
      'too many',
      Array.from({ length: KEPT_MAX + 1 }, (_, at) => word(first + at, { key: random(at) })),
      /too many/,
    ],
    ['a word of something unknown', [encodeFrame(FromInit.forgotten, first)], /unknown id/],
  ])('%s: the connection ends', async (_name, frames, reason) => {
    const peer = await dial();
    for (const frame of frames) peer.socket.write(frame);
    await dropped(peer, reason);
    expect(owner.lost).toBe(_name === 'tells of one after the end' || _name === 'ends twice');
  });

  test.each<readonly [string, readonly Buffer[], RegExp]>([
    [
      'more than the window',
      [
        encodeFrame(FromInit.stdout, first, Buffer.alloc(OUTPUT_WINDOW_BYTES)),
        encodeFrame(FromInit.stdout, first, Buffer.alloc(1)),
      ],
      /beyond its window/,
    ],
    ['nothing', [encodeFrame(FromInit.stdout, first)], /beyond its window/],
    [
      'output after the end',
      [
        encodeFrame(FromInit.exit, first, Buffer.alloc(3)),
        encodeFrame(FromInit.stderr, first, Buffer.alloc(1)),
      ],
      /beyond its window/,
    ],
    [
      'two ends',
      [
        encodeFrame(FromInit.exit, first, Buffer.alloc(3)),
        encodeFrame(FromInit.exit, first, Buffer.alloc(3)),
      ],
      /frame 135/,
    ],
    ['half an end', [encodeFrame(FromInit.exit, first, Buffer.alloc(2))], /frame 135/],
    ['a start', [encodeFrame(FromInit.started, first, Buffer.alloc(4))], /frame 130/],
    ['half a credit', [encodeFrame(FromInit.stdinCredit, first, Buffer.alloc(3))], /malformed/],
    [
      'a credit that was never used',
      [encodeFrame(FromInit.stdinCredit, first, Buffer.from([1, 0, 0, 0]))],
      /out of order/,
    ],
  ])('sends %s: the connection ends, the command is kept', async (_name, frames, reason) => {
    owner.acknowledges = false;
    const peer = await dial();
    peer.socket.write(word(first, { flags: 2 }));
    peer.socket.write(listEnd);
    await until(() => expect(peer.frames[1]?.type).toBe(ToInit.resume));
    for (const frame of frames) peer.socket.write(frame);
    await dropped(peer, reason);
    expect(kept.find(known)).toBe(owner.process);
    expect(owner.lost).toBe(false);
  });

  test('offsets do not go back; those that go forward are a gap', async () => {
    const peer = await dial();
    peer.socket.write(word(first, { acknowledged: [5000n, 0n] }));
    await until(() => expect(peer.frames[1]?.type).toBe(ToInit.resume));
    expect(peer.frames[1]?.payload.readBigUInt64LE(0)).toBe(5000n);
    peer.socket.destroy();
    const second = await dial();
    second.socket.write(word(first, { acknowledged: [4999n, 0n] }));
    await dropped(second, /go back/);
  });

  test('a stdin that took more than it was sent, or forgot what it took', async () => {
    const peer = await dial();
    peer.socket.write(word(first, { flags: 2, taken: 10n }));
    await until(() => expect(owner.process?.stdin).toBeDefined());
    owner.process?.stdin?.write('12345');
    await until(() => expect(peer.frames.at(-1)?.type).toBe(ToInit.stdin));
    peer.socket.destroy();
    for (const taken of [16n, 9n]) {
      logged.length = 0;
      const next = await dial();
      next.socket.write(word(first, { flags: 2, taken }));
      await dropped(next, /cannot be/);
    }
    const honest = await dial();
    honest.socket.write(word(first, { flags: 2, taken: 12n }));
    await until(() => expect(honest.frames.at(-1)?.payload.toString()).toBe('345'));
  });

  test('a key that nobody gave is ended and forgotten; what crossed that is ignored', async () => {
    const peer = await dial();
    peer.socket.write(word(first, { key: random(1) }));
    peer.socket.write(listEnd);
    await until(() => expect(peer.frames.map(({ type }) => type)).toEqual([1, 5, 14]));
    expect(peer.frames[1]?.payload).toEqual(Buffer.from([9]));
    peer.socket.write(encodeFrame(FromInit.stdout, first, Buffer.alloc(10)));
    peer.socket.write(encodeFrame(FromInit.forgotten, first));
    expect(await channel.ping(50).catch((error: { kind: string }) => error.kind)).toBe(
      'unresponsive',
    );
    expect(channel.connected).toBe(true);
  });

  test('nothing is started before it has told of all; an older one keeps nothing', async () => {
    const peer = await dial();
    const starting = channel.keep(spec, new MemoryOwner(random(2)));
    expect(peer.frames).toHaveLength(1);
    peer.socket.write(listEnd);
    await until(() => expect(peer.frames[1]?.type).toBe(ToInit.start));
    const id = peer.frames[1]?.id ?? 0;
    peer.socket.write(encodeFrame(FromInit.stdout, id, Buffer.alloc(1)));
    await expect(starting).rejects.toMatchObject({ kind: 'protocol' });
    await dial(PROTOCOL_VERSION_THIRD);
    await channel.whenListed(10);
    await expect(channel.keep(spec, new MemoryOwner(random(3)))).rejects.toMatchObject({
      kind: 'outdated',
    });
    const terminal = { columns: 80, rows: 24 };
    channel.start({ ...spec, terminal }).catch(() => {});
  });
});
