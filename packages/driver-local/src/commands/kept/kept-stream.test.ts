import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ByteQueue } from './byte-queue.ts';
import { KeptStream } from './kept-stream.ts';
import { Segments } from './segments.ts';
import { SpillBudget } from './spill-budget.ts';

const kibibyte = 1024;
let directory: string;
let filed: number;
let troubles: unknown[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kept-stream-'));
  filed = 0;
  troubles = [];
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true, force: true });
});

async function open(limitBytes = 2 ** 30, budget = new SpillBudget()): Promise<KeptStream> {
  const segments = new Segments({ directory, name: 'stdout', segmentBytes: 64 * kibibyte });
  await segments.load();
  return new KeptStream({
    segments,
    limitBytes,
    budget,
    onFiled: (offset) => {
      filed = offset;
    },
    onFull: (error) => troubles.push(error),
  });
}

/** Bytes that tell where they are. */
function bytesAt(offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = ((offset + at) * 31 + ((offset + at) >> 8)) & 255;
  return bytes;
}

async function readAll(stream: KeptStream, options: Parameters<KeptStream['read']>[0] = {}) {
  let start: number | undefined;
  let at = options.since ?? 0;
  for await (const { offset, bytes } of stream.read(options)) {
    start ??= offset;
    if (offset === at || start === offset) at = offset;
    expect(offset).toBe(at);
    expect(bytes.equals(bytesAt(offset, bytes.length))).toBe(true);
    at += bytes.length;
  }
  return { start: start ?? at, end: at };
}

describe('a queue of bytes', () => {
  test('is what was pushed, without what was dropped', () => {
    const step = fc.oneof(fc.record({ push: fc.nat(40_000) }), fc.record({ drop: fc.nat(60_000) }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const queue = new ByteQueue();
        let from = 0;
        let to = 0;
        for (const each of steps) {
          if ('push' in each) {
            const views = queue.views();
            const before = Buffer.concat(views);
            queue.push(bytesAt(to, each.push));
            to += each.push;
            expect(Buffer.concat(views).equals(before)).toBe(true);
          } else {
            queue.drop(each.drop);
            from = Math.min(from + each.drop, to);
          }
          expect(queue.length).toBe(to - from);
          expect(Buffer.concat(queue.views()).equals(bytesAt(from, to - from))).toBe(true);
          const middle = (to - from) >> 1;
          const some = queue.at(middle);
          expect(some?.equals(bytesAt(from + middle, some.length)) ?? to === from).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('a kept stream', () => {
  test('any pieces come to every reader once, and to the next daemon', async () => {
    const pieces = fc.array(fc.integer({ min: 1, max: 100 * kibibyte }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.nat(500 * kibibyte), async (lengths, since) => {
        rmSync(directory, { recursive: true });
        directory = mkdtempSync(join(tmpdir(), 'kept-stream-'));
        const stream = await open();
        const total = lengths.reduce((sum, each) => sum + each, 0);
        const readers = [{ follow: true }, { follow: true, since }].map((options) =>
          readAll(stream, options),
        );
        let at = 0;
        for (const length of lengths) {
          stream.push(at, bytesAt(at, length));
          at += length;
          if (length % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        stream.finish();
        expect((await readers[0])?.end).toBe(total);
        expect((await readers[1])?.end).toBe(Math.max(total, since));
        await stream.flush();
        expect(stream.isFiled).toBe(true);
        await stream.close();
        const next = await open();
        expect(next.range).toEqual({ startOffset: 0, endOffset: total });
        expect(await readAll(next)).toEqual({ start: 0, end: total });
        await next.close();
      }),
      { numRuns: 15 },
    );
  });

  test('holds little in memory, and says what is filed', async () => {
    const stream = await open();
    stream.push(0, bytesAt(0, 64 * kibibyte));
    expect([filed, readdirSync(directory)]).toEqual([0, []]);
    stream.push(64 * kibibyte, bytesAt(64 * kibibyte, 1));
    await vi.waitFor(() => expect(filed).toBe(64 * kibibyte + 1));
    await stream.close();
  });

  test('bytes that are gone before they came leave nothing older', async () => {
    const stream = await open();
    stream.push(0, bytesAt(0, 100 * kibibyte));
    await stream.flush();
    stream.push(100 * kibibyte, bytesAt(100 * kibibyte, 80 * kibibyte));
    stream.push(200 * kibibyte, bytesAt(200 * kibibyte, 100 * kibibyte));
    expect(stream.range).toEqual({ startOffset: 200 * kibibyte, endOffset: 300 * kibibyte });
    expect(await readAll(stream)).toEqual({ start: 200 * kibibyte, end: 300 * kibibyte });
    await stream.flush();
    await stream.close();
    const next = await open();
    expect(next.range).toEqual({ startOffset: 200 * kibibyte, endOffset: 300 * kibibyte });
  });

  test('of files that do not follow each other, the newest count', async () => {
    for (const [from, length] of [
      [0, 10],
      [10, 5],
      [20, 10],
      [30, 3],
    ] as const)
      writeFileSync(join(directory, `stdout-${from}`), bytesAt(from, length));
    for (const name of ['stdout-33', 'stdout--1', 'stdout-x', 'other-20'])
      writeFileSync(join(directory, name), '');
    const stream = await open();
    expect(await readAll(stream)).toEqual({ start: 20, end: 33 });
    expect(existsSync(join(directory, 'stdout-0'))).toBe(false);
  });

  test('a file that vanishes takes what is older with it, and hangs nobody', async () => {
    const stream = await open();
    for (let at = 0; at < 400 * kibibyte; at += 100 * kibibyte) {
      stream.push(at, bytesAt(at, 100 * kibibyte));
      await stream.flush();
    }
    rmSync(join(directory, 'stdout-102400'));
    const { value } = await stream.read({ since: 110_000 }).next();
    expect(value?.offset).toBe(204_800);
    expect(stream.range.startOffset).toBe(204_800);
  });

  test('what no file takes goes, but for the newest', async () => {
    const stream = await open();
    rmSync(directory, { recursive: true });
    for (let at = 0; at < 1000; at += 100)
      stream.push(at * kibibyte, bytesAt(at * kibibyte, 100 * kibibyte));
    await vi.waitFor(() => expect(troubles.length).toBeGreaterThan(0));
    await stream.flush();
    const { startOffset, endOffset } = stream.range;
    expect([endOffset, endOffset - startOffset]).toEqual([1000 * kibibyte, 64 * kibibyte]);
    expect(filed).toBe(startOffset);
    expect((await readAll(stream)).start).toBe(startOffset);
    await stream.close();
  });

  test('all together hold no more than the budget', async () => {
    const budget = new SpillBudget(200 * kibibyte);
    const first = await open(2 ** 30, budget);
    first.push(0, bytesAt(0, 60 * kibibyte));
    const others = [1, 2, 3].map(() => {
      const other = { spillAll: vi.fn() };
      budget.changed(other, 60 * kibibyte);
      return other;
    });
    await vi.waitFor(() => expect(first.isFiled).toBe(true));
    for (const other of others) expect(other.spillAll).not.toHaveBeenCalled();
    budget.changed({ spillAll: () => {} }, 100 * kibibyte);
    expect(others.map(({ spillAll }) => spillAll.mock.calls.length)).toEqual([1, 1, 0]);
  });

  test('a follower holds the limit for as long as it takes something', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const stream = await open(100 * kibibyte);
    const follower = stream.read({ follow: true });
    const push = (at: number) => stream.push(at * kibibyte, bytesAt(at * kibibyte, 100 * kibibyte));
    push(0);
    await follower.next();
    for (const at of [100, 200, 300]) push(at);
    await vi.waitFor(() => expect(filed).toBeGreaterThan(0));
    push(400);
    await new Promise((resolve) => setImmediate(resolve));
    expect(stream.range.startOffset).toBe(0);
    const held = filed;
    expect(held).toBeLessThan(500 * kibibyte);
    await vi.advanceTimersByTimeAsync(31_000);
    await vi.waitFor(() => expect(filed).toBeGreaterThan(held));
    expect(stream.range.startOffset).toBeGreaterThan(0);
    const { value } = await follower.next();
    expect(value?.offset).toBe(stream.range.startOffset);
    await stream.close();
    expect((await follower.next()).done).toBe(true);
  });
});
