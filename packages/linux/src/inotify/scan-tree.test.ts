import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { RootedFs } from '../rooted-fs/rooted-fs.ts';
import { scratchInMemory } from '../testing/scratch.ts';
import { WatchedModel } from '../testing/watched-model.ts';
import { watchLimits } from './watch-budget.ts';

const limits = { ...watchLimits };

afterEach(() => {
  Object.assign(watchLimits, limits);
});

test('of a directory that appears all is told, however much more it holds than is kept in mind', async () => {
  watchLimits.told = 10;
  using scratch = scratchInMemory();
  const watched = join(scratch.path, 'watched');
  mkdirSync(watched);
  mkdirSync(join(scratch.path, 'large/sub'), { recursive: true });
  for (let file = 0; file < 500; file++) writeFileSync(join(scratch.path, `large/f${file}`), '');
  writeFileSync(join(scratch.path, 'large/sub/f'), '');
  using fs = RootedFs.open(scratch.path);
  using watcher = await fs.watch('/watched');
  const model = new WatchedModel(watcher, watched);
  renameSync(join(scratch.path, 'large'), join(watched, 'large'));
  for (let file = 0; file < 500; file++) writeFileSync(join(watched, `large/new${file}`), '');
  await expect.poll(() => model.paths.size, { timeout: 10_000 }).toBe(1003);
  expect(model.believed).toEqual(model.truth);
});
