import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { layerChanges } from '../layers/layer-changes.ts';
import { RootedFs } from '../rooted-fs/rooted-fs.ts';
import { type Scratch, scratchInMemory } from '../testing/scratch.ts';
import { textOf } from '../testing/watched-model.ts';

const RACER = fileURLToPath(new URL('../rooted-fs/attacks/racer.mjs', import.meta.url));
const DURATION_MS = 1500;
/** Longest that the start of a process takes. */
const START_MS = 20_000;

let scratch: Scratch;
let root: string;
let outside: string;
let racer: ChildProcess;

beforeEach(() => {
  scratch = scratchInMemory();
  root = join(scratch.path, 'root');
  outside = join(scratch.path, 'outside');
  mkdirSync(join(root, 'race/real/sub'), { recursive: true });
  mkdirSync(join(outside, 'sub/secret'), { recursive: true });
  symlinkSync(outside, join(root, 'race/link'));
  racer = spawn(process.execPath, [RACER, join(root, 'race'), 'real', 'link']);
});

afterEach(async () => {
  racer.stdin?.end();
  await once(racer, 'exit');
  scratch[Symbol.dispose]();
});

test('a watcher never sees what a swapped symlink leads to', async () => {
  using fs = RootedFs.open(root);
  using watcher = await fs.watch('/race');
  const seen: string[] = [];
  const reading = (async () => {
    for await (const event of watcher) seen.push(textOf(event));
  })();
  const endMs = performance.now() + DURATION_MS;
  for (let round = 0; performance.now() < endMs; round++) {
    writeFileSync(join(outside, `sub/secret-${round}`), '');
    writeFileSync(join(outside, 'secret'), '');
    if (round % 20 === 0) (await fs.watch('/race')).close();
    await sleep(2);
  }
  watcher.close();
  await reading;
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.filter((text) => text.includes('secret'))).toEqual([]);
});

test('a list of changes never sees what a swapped symlink leads to', async () => {
  mkdirSync(join(scratch.path, 'lower/race/real/sub'), { recursive: true });
  const found = new Set<string>();
  const startedMs = performance.now();
  const tookMs = () => performance.now() - startedMs;
  // On a busy machine the racer needs a while before it swaps for the first time.
  while (tookMs() < DURATION_MS || (found.size < 2 && tookMs() < START_MS)) {
    for await (const { pathBytes } of layerChanges({
      upper: root,
      lower: join(scratch.path, 'lower'),
    })) {
      found.add(String(pathBytes));
    }
  }
  expect(found.size).toBeGreaterThan(1);
  expect([...found].filter((path) => path.includes('secret'))).toEqual([]);
});
