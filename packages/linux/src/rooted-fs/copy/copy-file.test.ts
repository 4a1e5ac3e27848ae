import { closeSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { longestHoldMs } from '../../testing/loop-hold.ts';
import { type Scratch, scratchOnDisk } from '../../testing/scratch.ts';
import { RootedFs } from '../rooted-fs.ts';

let scratch: Scratch;
let fs: RootedFs;

beforeEach(() => {
  scratch = scratchOnDisk();
  fs = RootedFs.open(scratch.path);
});

afterEach(() => {
  fs.close();
  scratch[Symbol.dispose]();
});

/** A file of 4 KiB of data, 4 KiB of a hole, and so on. */
function makePieces(name: string, pieces: number): void {
  const fd = openSync(join(scratch.path, name), 'w');
  try {
    const data = Buffer.alloc(4096, 'x');
    for (let piece = 0; piece < pieces; piece++) writeSync(fd, data, 0, 4096, piece * 8192);
    ftruncateSync(fd, pieces * 8192);
  } finally {
    closeSync(fd);
  }
}

test('a file of very many pieces is copied without holding others up, and can be stopped', async () => {
  const pieces = 20_000;
  makePieces('pieces', pieces);
  const startedMs = performance.now();
  const heldMs = await longestHoldMs(() => fs.copy('/pieces', '/copy'));
  const tookMs = performance.now() - startedMs;
  expect(heldMs).toBeLessThan(Math.max(150, tookMs / 4));
  const copy = statSync(join(scratch.path, 'copy'));
  expect(copy.size).toBe(pieces * 8192);
  expect(copy.blocks * 512).toBeLessThan(copy.size * 0.6);

  const stop = new AbortController();
  setTimeout(() => stop.abort(), 20);
  const stopped = fs.copy('/pieces', '/stopped', { signal: stop.signal });
  await expect(stopped).rejects.toThrow('aborted');
  expect(fs.locate('/stopped').exists).toBe(false);
});
