import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { socketPair } from '../../testing/socket-pair.ts';
import { controlFrame, numbers, SpdyClient } from '../../testing/spdy-client.ts';
import type { HeartbeatTiming } from '../peer/heartbeat.ts';
import type { PeerStream } from '../peer/peer-stream.ts';
import { dataHead, frameTypes, resetCodes } from './frames.ts';
import { SpdySession } from './spdy-session.ts';

const MiB = 2 ** 20;
const sessions: SpdySession[] = [];

afterEach(() => {
  for (const session of sessions.splice(0)) session.destroy();
});

async function start(
  open: (stream: PeerStream) => void = () => {},
  options: { timing?: HeartbeatTiming; maxStreams?: number } = {},
) {
  const { near, far } = await socketPair();
  const streams: PeerStream[] = [];
  const session = new SpdySession(near, {
    ...options,
    open: (stream) => {
      streams.push(stream);
      open(stream);
    },
  });
  sessions.push(session);
  return { session, streams, near, far, client: new SpdyClient(far) };
}

const echo = (stream: PeerStream): void => void stream.pipe(stream);

describe('streams', () => {
  it('carry bytes both ways, and end in each direction by itself', async () => {
    const { client, streams } = await start();
    const id = await client.open({ streamtype: 'data' });
    await expect.poll(() => client.stream(id).replied).toBe(true);
    const [stream] = streams;
    client.send(id, 'question', true);
    let question = '';
    stream?.on('data', (chunk: Buffer) => (question += chunk.toString()));
    await expect.poll(() => stream?.readableEnded).toBe(true);
    expect(question).toBe('question');
    stream?.end('answer');
    await expect.poll(() => client.stream(id).ended).toBe(true);
    expect(client.stream(id)).toMatchObject({ resetCode: undefined, bytes: Buffer.from('answer') });
    await expect.poll(() => stream?.destroyed).toBe(true);
  });

  it('are reset when they are given up, and the others go on', async () => {
    const { client, streams } = await start(echo);
    const first = await client.open({});
    const second = await client.open({});
    await expect.poll(() => streams.length).toBe(2);
    streams[0]?.destroy();
    await expect.poll(() => client.stream(first).resetCode).toBe(resetCodes.cancel);
    client.send(first, 'late', true);
    client.send(second, 'on');
    await expect.poll(() => client.stream(second).bytes.toString()).toBe('on');
  });

  it('are destroyed when the client resets them', async () => {
    const { client, streams } = await start();
    const id = await client.open({});
    await expect.poll(() => streams.length).toBe(1);
    client.reset(id);
    await expect.poll(() => streams[0]?.destroyed).toBe(true);
    expect(client.stream(id).resetCode).toBeUndefined();
  });

  it('are refused beyond the limit, and taken again below it', async () => {
    const { client } = await start(echo, { maxStreams: 2 });
    const ids = [await client.open({}), await client.open({}), await client.open({})];
    const third = client.stream(ids[2] ?? 0);
    await expect.poll(() => third.resetCode).toBe(resetCodes.refusedStream);
    client.send(ids[0] ?? 0, '', true);
    await expect.poll(() => client.stream(ids[0] ?? 0).ended).toBe(true);
    const fourth = await client.open({});
    client.send(fourth, 'x');
    await expect.poll(() => client.stream(fourth).bytes.toString()).toBe('x');
  });

  it('are destroyed when the client goes, and the signal aborts', async () => {
    const { client, streams, session } = await start();
    await client.open({});
    await expect.poll(() => streams.length).toBe(1);
    client.transport.destroy();
    await session.closed;
    expect(streams[0]?.destroyed).toBe(true);
    expect(session.signal.aborted).toBe(true);
  });
});

describe('closing', () => {
  it('says so, and waits for the streams', async () => {
    const { client, session } = await start(echo);
    const id = await client.open({});
    await expect.poll(() => client.stream(id).replied).toBe(true);
    session.close();
    await expect.poll(() => client.goneAway).toBe(true);
    const late = await client.open({});
    await expect.poll(() => client.stream(late).resetCode).toBe(resetCodes.refusedStream);
    client.send(id, 'last', true);
    await session.closed;
    expect(client.stream(id)).toMatchObject({ ended: true, bytes: Buffer.from('last') });
  });

  it('follows the client when it says so', async () => {
    const { client, session } = await start(echo);
    client.transport.write(controlFrame(frameTypes.goAway, numbers(0, 0)));
    await session.closed;
    expect(client.closed).toBe(true);
  });
});

describe('memory', () => {
  it('stays bounded when nobody reads a stream, and what waits is not lost', async () => {
    const { client, streams, near } = await start();
    const id = await client.open({});
    await expect.poll(() => streams.length).toBe(1);
    const block = Buffer.alloc(MiB, 'x');
    for (let sent = 0; sent < 32; sent++) client.send(id, block);
    client.send(id, '', true);
    await expect.poll(() => near.isPaused()).toBe(true);
    expect(streams[0]?.readableLength).toBeLessThan(MiB);
    let received = 0;
    streams[0]?.on('data', (chunk: Buffer) => (received += chunk.length));
    await expect.poll(() => streams[0]?.readableEnded).toBe(true);
    expect(received).toBe(32 * MiB);
  });

  it('stays bounded when many streams each hold a little', async () => {
    const { client, streams, near } = await start();
    for (let index = 0; index < 200; index++)
      client.send(await client.open({}), Buffer.alloc(100_000));
    await expect.poll(() => near.isPaused()).toBe(true);
    const waiting = () => streams.reduce((sum, stream) => sum + stream.readableLength, 0);
    expect(waiting()).toBeLessThan(9 * MiB);
    const readAll = () => {
      for (const stream of streams) stream.resume();
      return streams.length;
    };
    await expect.poll(readAll).toBe(200);
    await expect.poll(waiting).toBe(0);
    expect(near.isPaused()).toBe(false);
  });

  it('stays bounded when the client never reads', async () => {
    const { client, streams, near } = await start();
    await client.open({});
    await expect.poll(() => streams.length).toBe(1);
    client.transport.pause();
    let written = 0;
    while (written < 64 * MiB && streams[0]?.write(Buffer.alloc(64 * 1024)) === true)
      written += 64 * 1024;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(near.writableLength + (streams[0]?.writableLength ?? 0)).toBeLessThan(MiB);
  });

  it('stays bounded when a client asks for answers that it never reads', async () => {
    const unread: Array<() => void> = [];
    let isReading = false;
    const transport = new Duplex({
      read: () => {},
      write: (_chunk, _encoding, done) => void (isReading ? done() : unread.push(done)),
    });
    sessions.push(new SpdySession(transport, { open: () => {} }));
    const pings = Buffer.concat(Array.from({ length: 1_000 }, () => pingBytes(1)));
    for (let round = 0; round < 100; round++) transport.push(pings);
    await expect.poll(() => transport.isPaused()).toBe(true);
    expect(transport.writableLength).toBeLessThan(MiB / 2);
    isReading = true;
    for (const done of unread) done();
    await expect.poll(() => transport.isPaused()).toBe(false);
    await expect.poll(() => transport.readableLength).toBe(0);
  });
});

const pingBytes = (id: number): Buffer => controlFrame(frameTypes.ping, numbers(id));

describe('keep-alive', () => {
  it('answers pings, and sends its own', async () => {
    const { client } = await start(echo, { timing: { beatIntervalMs: 30 } });
    client.ping(7);
    await expect.poll(() => client.pings).toContain(7);
    await expect.poll(() => client.pings).toContain(2);
  });

  it('ends a connection on which nothing comes for too long', async () => {
    const { session } = await start(echo, { timing: { beatIntervalMs: 20, silenceLimitMs: 60 } });
    await session.closed;
  });

  it('finds that the client has gone though a full stream holds up reading', async () => {
    const { client, session, near } = await start(() => {}, { timing: { probeIntervalMs: 30 } });
    const id = await client.open({});
    for (let sent = 0; sent < 4; sent++) client.send(id, Buffer.alloc(MiB));
    await expect.poll(() => near.isPaused()).toBe(true);
    client.transport.destroy();
    await session.closed;
  });
});

describe('what is malformed', () => {
  const open = (id: number) =>
    controlFrame(frameTypes.synStream, Buffer.concat([numbers(id, 0), Buffer.alloc(2)]));

  it.each([
    ['a stream with an even number', open(2)],
    ['a stream without headers', open(1)],
    ['a stream that is cut short', controlFrame(frameTypes.synStream, Buffer.alloc(4))],
    ['a reset that is cut short', controlFrame(frameTypes.rstStream, Buffer.alloc(4))],
    ['a ping that is cut short', controlFrame(frameTypes.ping, Buffer.alloc(1))],
    ['data on a stream that never was', Buffer.concat([dataHead(9, 1, false), Buffer.alloc(1)])],
    ['another protocol', Buffer.from('\x80GET / HTTP/1.1\r\n\r\n')],
  ])('ends the connection: %s', async (_what, bytes) => {
    const { client, session } = await start(echo);
    client.transport.write(bytes);
    await session.closed;
    await client.whenClosed;
  });

  it('ends the connection: numbers of streams that do not grow', async () => {
    const { client, session } = await start(echo);
    await client.open({}, 5);
    await client.open({}, 3);
    await session.closed;
  });

  it('passes over types that are not known, settings and windows', async () => {
    const { client } = await start(echo);
    for (const type of [frameTypes.settings, frameTypes.windowUpdate, 10, 999])
      client.transport.write(controlFrame(type, numbers(1, 1)));
    client.ping(1);
    await expect.poll(() => client.pings).toContain(1);
  });

  it('does no harm but to its connection, whatever is sent', { timeout: 120_000 }, async () => {
    const { client: bystander } = await start(echo);
    const id = await bystander.open({});
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.integer({ min: 0, max: 12 }),
            fc.integer({ min: 0, max: 3 }),
            fc.uint8Array({ maxLength: 30 }),
          ),
          { maxLength: 12 },
        ),
        fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
        async (frames, flips) => {
          const { client, far } = await start(echo);
          await client.open({ streamtype: 'data', port: '80' });
          await client.open({ streamtype: 'error', port: '80' });
          const bytes = Buffer.concat(
            frames.map(([type, flags, payload]) =>
              type > 9
                ? Buffer.concat([dataHead(flags, payload.length, type > 10), payload])
                : controlFrame(type, Buffer.concat([numbers(flags), payload]), flags),
            ),
          );
          for (const [at, value] of flips) if (at < bytes.length) bytes[at] = value;
          far.end(bytes);
          await client.whenClosed;
        },
      ),
      { numRuns: 150 },
    );
    bystander.send(id, 'unharmed');
    await expect.poll(() => bystander.stream(id).bytes.toString()).toBe('unharmed');
  });
});
