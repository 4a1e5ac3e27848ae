import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { answerOf } from '../../testing/file-helpers.ts';
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

const located = (path: string): unknown => {
  const { pathBytes, exists } = fs.locate(path);
  return [pathBytes.toString(), exists];
};

test('a path leads as far as it exists, whatever number of its names is missing', async () => {
  const names = 'a/b/c/d/e/f'.split('/');
  for (let existing = 0; existing <= names.length; existing++) {
    if (existing > 0) mkdirSync(join(scratch.path, names.slice(0, existing).join('/')));
    const deeper = `/${names.join('/')}`;
    expect(located(deeper)).toEqual([deeper, existing === names.length]);
    expect(located(`${deeper}/`)).toEqual([deeper, existing === names.length]);
  }
  writeFileSync(join(scratch.path, 'a/file'), '');
  expect(await answerOf(() => fs.locate('/a/file/x/y/z'))).toBe('not_a_directory');
  expect(located('/')).toEqual(['/', true]);
  expect(located('/none')).toEqual(['/none', false]);
});

test('links on the way are followed, also ones that lead to nothing', async () => {
  mkdirSync(join(scratch.path, 'real'));
  symlinkSync('/real', join(scratch.path, 'link'));
  symlinkSync('link/new/deep', join(scratch.path, 'dangling'));
  symlinkSync('loop', join(scratch.path, 'loop'));
  expect(located('/link/x/y')).toEqual(['/real/x/y', false]);
  expect(located('/dangling/x/y/z')).toEqual(['/real/new/deep/x/y/z', false]);
  expect(await answerOf(() => fs.locate('/loop/x'))).toBe('symlink_loop');
});

test('a path of which 2,000 names are missing takes no longer than some openings', () => {
  const path = `/${'a/'.repeat(2000)}x`;
  const startedMs = performance.now();
  for (let round = 0; round < 10; round++) expect(fs.locate(path).exists).toBe(false);
  expect(performance.now() - startedMs).toBeLessThan(500);
});
