import * as fc from 'fast-check';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { OutputStream } from './output-stream.ts';
import { OUTPUT_WINDOW_BYTES } from './wire.ts';

describe('OutputStream', () => {
  test('delivers every byte in order to slow and fast readers, within its credit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 70_000 }), { maxLength: 40 }),
        fc.boolean(),
        async (sizes, slow) => {
          const credit = { bytes: OUTPUT_WINDOW_BYTES };
          const stream = new OutputStream((bytes) => {
            credit.bytes += bytes;
          });
          const sent: Buffer[] = [];
          const read: Buffer[] = [];
          const reading = (async () => {
            for await (const chunk of stream) {
              read.push(chunk);
              if (slow) await setImmediate();
            }
          })();
          for (const [index, size] of sizes.entries()) {
            const chunk = Buffer.alloc(size, index + 1);
            while (credit.bytes < chunk.length) await setImmediate();
            credit.bytes -= size;
            sent.push(chunk);
            expect(stream.receive(chunk)).toBe(true);
          }
          stream.finish();
          await reading;
          expect(Buffer.concat(read).equals(Buffer.concat(sent))).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('takes exactly its window when nobody reads', () => {
    const stream = new OutputStream(() => {});
    expect(stream.receive(Buffer.alloc(OUTPUT_WINDOW_BYTES - 1))).toBe(true);
    expect(stream.receive(Buffer.alloc(1))).toBe(true);
    expect(stream.receive(Buffer.alloc(1))).toBe(false);
  });

  test('refuses empty chunks and chunks after the end', () => {
    const stream = new OutputStream(() => {});
    expect(stream.receive(Buffer.alloc(0))).toBe(false);
    stream.finish();
    expect(stream.receive(Buffer.alloc(1))).toBe(false);
  });

  test('a window of single bytes holds little memory', () => {
    const stream = new OutputStream(() => {});
    const socketChunk = Buffer.alloc(64 * 1024, 7);
    const before = process.memoryUsage();
    for (let i = 0; i < OUTPUT_WINDOW_BYTES; i++)
      stream.receive(socketChunk.subarray(i % 9, (i % 9) + 1));
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(4 * 1024 * 1024);
  });

  test('a destroyed stream gives all credit back', async () => {
    let granted = 0;
    const stream = new OutputStream((bytes) => {
      granted += bytes;
    });
    stream.receive(Buffer.alloc(100_000));
    stream.receive(Buffer.alloc(10));
    stream.destroy();
    await setImmediate();
    for (let i = 0; i < 50; i++) expect(stream.receive(Buffer.alloc(50_000))).toBe(true);
    expect(granted).toBeGreaterThan(2_500_000);
  });
});
