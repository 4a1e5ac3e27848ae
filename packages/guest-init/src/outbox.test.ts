import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { encodeFrame } from './frames.ts';
import { Outbox } from './outbox.ts';
import { ToInit } from './wire.ts';

/** A socket whose other end reads only when it is told to. */
class StuckSocket extends Writable {
  readonly taken: Buffer[] = [];
  #next: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 1024 });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.taken.push(chunk);
    this.#next = done;
  }

  /** Takes all that was written. */
  async drain(): Promise<void> {
    for (let next = this.#next; next !== undefined; next = this.#next) {
      this.#next = undefined;
      next();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const kill = (id: number, signal: number) => encodeFrame(ToInit.kill, id, Buffer.from([signal]));
const resize = (id: number, columns: number) =>
  encodeFrame(ToInit.resize, id, Buffer.from([columns & 255, columns >> 8, 24, 0]));
const noOverflow = () => expect.unreachable();

test('signals and sizes do not pile up for an init that does not read', async () => {
  const socket = new StuckSocket();
  const outbox = new Outbox(socket, noOverflow);
  const last = { resize: resize(1, 1), kill: kill(2, 28) };
  for (let round = 1; round <= 100_000; round++) {
    last.resize = resize(1, round % 1000);
    outbox.send(last.resize);
    outbox.send(last.kill);
  }
  expect(socket.writableLength).toBeLessThan(100_000);
  outbox.send(kill(2, 9));
  await socket.drain();
  await socket.drain();
  const end = socket.taken.slice(-3);
  expect(end).toEqual([last.resize, last.kill, kill(2, 9)]);
  expect(socket.writableLength).toBe(0);
  outbox.send(kill(3, 9));
  expect(socket.taken.at(-1)).toEqual(kill(3, 9));
});

test('what waits for a suspended init comes in its order, signals behind what they are for', () => {
  const first = new Writable({ write: (_chunk, _encoding, done) => done() });
  const taken: Buffer[] = [];
  const second = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      taken.push(chunk);
      done();
    },
  });
  const outbox = new Outbox(first, noOverflow);
  outbox.hold(encodeFrame(ToInit.suspend, 0));
  const start = encodeFrame(ToInit.start, 5, Buffer.from('x'));
  const input = encodeFrame(ToInit.stdin, 5, Buffer.from('y'));
  for (const frame of [kill(5, 15), start, input, kill(5, 15)]) outbox.send(frame);
  outbox.use(second);
  outbox.release();
  expect(taken).toEqual([start, input, kill(5, 15)]);
});

test('too much for a suspended init is told', () => {
  let overflows = 0;
  const outbox = new Outbox(new StuckSocket(), () => {
    overflows += 1;
  });
  outbox.hold(encodeFrame(ToInit.suspend, 0));
  const input = encodeFrame(ToInit.stdin, 1, Buffer.alloc(1024 * 1024 - 9));
  for (let sent = 0; sent < 9; sent++) outbox.send(input);
  expect(overflows).toBe(1);
});
