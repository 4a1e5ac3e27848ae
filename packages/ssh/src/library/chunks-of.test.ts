import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { chunksOf } from './chunks-of.ts';

test('chunks come as they were written, to the last, and no faster than they are taken', async () => {
  const stream = new PassThrough({ highWaterMark: 1024 * 1024 });
  const sizes = Array.from({ length: 200 }, (_, index) => 1 + index * 97);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  for (const size of sizes) stream.write(Buffer.alloc(size, size));
  stream.end();
  const found: number[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(stream)) {
    found.push(chunk.length);
    bytes += chunk.length;
    // What is neither here nor in the stream has been taken out of it.
    const taken = total - bytes - stream.readableLength - stream.writableLength;
    expect(taken).toBeLessThan(600 * 1024);
    if (found.length % 50 === 0) await new Promise(setImmediate);
  }
  expect(found).toEqual(sizes);
});

test('a stream that is over, and one that ends without a word, have an end', async () => {
  const over = new PassThrough();
  over.resume().end();
  await new Promise(setImmediate);
  for await (const chunk of chunksOf(over)) expect(chunk).toBeUndefined();
  const cut = new PassThrough();
  setImmediate(() => cut.destroy());
  for await (const chunk of chunksOf(cut)) expect(chunk).toBeUndefined();
});
