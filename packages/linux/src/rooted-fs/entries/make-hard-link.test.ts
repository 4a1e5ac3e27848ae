import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Scratch, scratchInMemory, scratchOnDisk } from '../../testing/scratch.ts';
import { whileSwapping } from '../attacks/while-swapping.ts';
import { RootedFs } from '../rooted-fs.ts';

let scratches: Scratch[];
let outside: string;
let root: string;
let fs: RootedFs;

beforeEach(() => {
  const scratch = scratchOnDisk();
  scratches = [scratch];
  outside = join(scratch.path, 'outside');
  root = join(scratch.path, 'root');
  mkdirSync(outside);
  mkdirSync(join(root, 'd'), { recursive: true });
  writeFileSync(join(outside, 'secret'), 'outside');
  writeFileSync(join(root, 'file'), 'inside');
  fs = RootedFs.open(root);
});
afterEach(() => {
  fs.close();
  for (const scratch of scratches) scratch[Symbol.dispose]();
});

const kindOf = (from: string, to: string) =>
  fs.hardLink(from, to).then(
    () => 'done',
    (error: unknown) => (error as { kind: string }).kind,
  );

test('a file gets one more name', async () => {
  expect(await kindOf('/file', '/d/name')).toBe('done');
  expect(statSync(join(root, 'd/name')).ino).toBe(statSync(join(root, 'file')).ino);
  expect(await kindOf('/file', '/d/name')).toBe('exists');
  expect(await kindOf('/none', '/n')).toBe('not_found');
  expect(await kindOf('/file', '/none/n')).toBe('not_found');
  expect(await kindOf('/d', '/n')).toBe('is_directory');
  expect(await kindOf('/file/', '/n')).toBe('not_a_directory');
  expect(await kindOf('/file', '/d/..')).toBe('invalid_path');
  expect(await kindOf('/', '/n')).toBe('busy');
});

test('what is no regular file, or leads out, gets no name', async () => {
  symlinkSync(join(outside, 'secret'), join(root, 'link'));
  symlinkSync(outside, join(root, 'out'));
  symlinkSync('../../outside', join(root, 'up'));
  execFileSync('mkfifo', [join(root, 'fifo')]);
  expect(await kindOf('/link', '/n')).toBe('not_a_regular_file');
  expect(await kindOf('/fifo', '/n')).toBe('not_a_regular_file');
  for (const way of ['/out', '/up', '/../outside', '/d/../../outside'])
    expect(await kindOf(`${way}/secret`, '/n')).toBe('not_found');
  for (const way of ['/out', '/up', '/../outside'])
    expect(await kindOf('/file', `${way}/n`)).toBe('not_found');
  expect(await kindOf('/file', '/proc/n')).toBe('not_a_regular_file');
  expect(existsSync(join(root, 'n'))).toBe(false);
  expect(statSync(join(outside, 'secret')).nlink).toBe(1);
});

test('directories that are swapped with symlinks lead nowhere', { timeout: 60_000 }, async () => {
  // In memory there are more swaps in the same time.
  const memory = scratchInMemory();
  scratches.push(memory);
  const secret = join(memory.path, 'outside/secret');
  const within = join(memory.path, 'root');
  const race = join(within, 'race');
  for (const directory of [join(memory.path, 'outside'), join(race, 'x')])
    mkdirSync(directory, { recursive: true });
  writeFileSync(secret, 'outside');
  writeFileSync(join(race, 'x/secret'), 'inside');
  symlinkSync(join(memory.path, 'outside'), join(race, 'link'));
  writeFileSync(join(race, 'file'), 'inside');
  symlinkSync(secret, join(race, 'file-link'));
  using raced = RootedFs.open(within, { hiddenAreas: [] });
  const quiet = async (action: Promise<void>) => action.catch(() => undefined);
  let number = 0;
  await whileSwapping(race, ['x', 'link', 'file', 'file-link'], 2_000, async () => {
    number += 1;
    await quiet(raced.hardLink('/race/x/secret', `/a${number}`));
    await quiet(raced.hardLink('/race/file', `/b${number}`));
    await quiet(raced.hardLink('/race/file', `/race/x/c${number}`));
    for (const name of [`a${number}`, `b${number}`]) {
      const made = join(within, name);
      if (existsSync(made)) expect(readFileSync(made, 'utf8')).toBe('inside');
    }
    for (const name of [`/a${number}`, `/b${number}`, `/race/x/c${number}`])
      await quiet(raced.remove(name));
  });
  expect(statSync(secret).nlink).toBe(1);
  expect(execFileSync('ls', [join(memory.path, 'outside')]).toString()).toBe('secret\n');
});

test('a name that another file has is not taken over', async () => {
  writeFileSync(join(root, 'other'), 'other');
  linkSync(join(root, 'other'), join(root, 'd/taken'));
  expect(await kindOf('/file', '/d/taken')).toBe('exists');
  expect(readFileSync(join(root, 'd/taken'), 'utf8')).toBe('other');
});
