import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RootedFs } from '../rooted-fs/rooted-fs.ts';
import { writeFile } from '../testing/file-helpers.ts';
import { type Scratch, scratchInMemory, scratchOnDisk } from '../testing/scratch.ts';
import { WatchedModel, textOf } from '../testing/watched-model.ts';
import { watchLimits } from './watch-budget.ts';

let scratch: Scratch;
let fs: RootedFs;
let watched: string;

beforeEach(() => {
  scratch = scratchInMemory();
  watched = join(scratch.path, 'watched');
  mkdirSync(watched);
  fs = RootedFs.open(scratch.path);
});

afterEach(() => {
  fs.close();
  scratch[Symbol.dispose]();
});

const inside = (name: string) => join(watched, name);
const openDescriptors = () => readdirSync('/proc/self/fd').length;

test('50,000 files at once overflow the queue: resync, and what comes later is told', async () => {
  for (let directory = 0; directory < 100; directory++) mkdirSync(inside(`d${directory}`));
  using watcher = await fs.watch('/watched');
  const model = new WatchedModel(watcher, watched);
  for (let directory = 0; directory < 100; directory++) {
    for (let file = 0; file < 500; file++) writeFileSync(inside(`d${directory}/f${file}`), '');
  }
  await model.seen('resync overflow');
  await expect.poll(() => model.paths.size, { timeout: 10_000 }).toBe(50_100);
  writeFileSync(inside('d99/later'), '');
  mkdirSync(inside('d50/new/deep'), { recursive: true });
  writeFileSync(inside('d50/new/deep/f'), '');
  await model.seen('created d99/later');
  await model.seen('created d50/new/deep/f');
  expect(model.believed).toEqual(model.truth);
});

test('a reader that takes nothing gets one resync for what it missed', async () => {
  using watcher = await fs.watch('/watched');
  // One that takes everything tells when the kernel's queues have been emptied.
  using other = await fs.watch('/watched');
  const model = new WatchedModel(other, watched);
  for (let round = 0; round < 12; round++) {
    for (let file = 0; file < 1000; file++) writeFileSync(inside(`f${round}-${file}`), '');
    await model.seen(`created f${round}-999`);
  }
  writeFileSync(inside('last'), '');
  await model.seen('created last');
  const seen: string[] = [];
  for await (const event of watcher) {
    seen.push(textOf(event));
    if (seen.at(-1) === 'created last') break;
  }
  expect(seen[0]).toBe('resync slow_client');
  expect(seen.length).toBeLessThan(10_000);
  expect(seen.filter((each) => each.startsWith('resync'))).toHaveLength(1);
});

test('directories beyond the limit are told of as one resync', async () => {
  const { ofOne } = watchLimits;
  watchLimits.ofOne = 3;
  try {
    for (const name of ['a', 'b', 'c']) mkdirSync(inside(name));
    using watcher = await fs.watch('/watched');
    const model = new WatchedModel(watcher, watched);
    mkdirSync(inside('d'));
    writeFileSync(inside('d/unseen'), '');
    mkdirSync(inside('e'));
    await model.seen('created e');
    renameSync(inside('d'), inside('f'));
    rmSync(inside('e'), { recursive: true });
    await model.seen('removed e');
    expect(model.events.map(textOf)).toEqual([
      'created d',
      'created e',
      'resync too_many_directories',
      'renamed f from d',
      'removed e',
    ]);
    // A watch that is given back is used again.
    rmSync(inside('a'), { recursive: true });
    await model.seen('removed a');
    mkdirSync(inside('g'));
    await model.seen('created g');
    writeFileSync(inside('g/seen'), '');
    await model.seen('created g/seen');
  } finally {
    watchLimits.ofOne = ofOne;
  }
});

test('symlinks are told of and never followed', async () => {
  mkdirSync(join(scratch.path, 'elsewhere'));
  symlinkSync('../elsewhere', inside('before'));
  using watcher = await fs.watch('/watched');
  const model = new WatchedModel(watcher, watched);
  symlinkSync('../elsewhere', inside('after'));
  writeFileSync(join(scratch.path, 'elsewhere/secret'), '');
  writeFileSync(inside('last'), '');
  await model.seen('created last');
  expect(model.events.map(textOf)).toEqual(['created after', 'created last']);
});

test('areas that belong to the kernel are not watched', async () => {
  for (const name of ['proc/1', 'run/sandport', 'home']) {
    mkdirSync(join(scratch.path, name), { recursive: true });
  }
  using watcher = await fs.watch('/');
  const model = new WatchedModel(watcher, scratch.path);
  writeFileSync(join(scratch.path, 'proc/1/x'), '');
  writeFileSync(join(scratch.path, 'run/sandport/x'), '');
  writeFileSync(join(scratch.path, 'home/x'), '');
  await model.seen('created home/x');
  expect(model.events.map(textOf)).toEqual(['created home/x']);
});

test('names may be of any bytes', async () => {
  using watcher = await fs.watch('/watched');
  const model = new WatchedModel(watcher, watched);
  writeFileSync(Buffer.concat([Buffer.from(`${watched}/z`), Buffer.from([0xff])]), '');
  writeFileSync(inside('new\nline ü'), '');
  writeFileSync(inside('n'.repeat(255)), '');
  await model.seen(`created ${'n'.repeat(255)}`);
  expect(model.events.map(textOf).slice(0, 2)).toEqual([
    'created z\u{FFFD}',
    'created new\nline ü',
  ]);
});

test('our own temporary files do not show', async () => {
  using watcher = await fs.watch('/watched');
  const model = new WatchedModel(watcher, watched);
  await writeFile(fs, '/watched/file', 'one');
  await model.seen('created file');
  await writeFile(fs, '/watched/file', 'two');
  await model.seen('modified file');
  writeFileSync(inside('.sandport-upload-0123456789abcdef0123456789abcdef'), 'x');
  renameSync(inside('.sandport-upload-0123456789abcdef0123456789abcdef'), inside('uploaded'));
  mkdirSync(inside('.sandport-0123456789abcdef01'));
  writeFileSync(inside('.sandport-0123456789abcdef01/x'), 'x');
  renameSync(inside('.sandport-0123456789abcdef01'), inside('copied'));
  writeFileSync(inside('.sandport-of-the-guest'), 'x');
  await model.seen('created .sandport-of-the-guest');
  await model.seen('created copied/x');
  expect(model.events.map(textOf).sort()).toEqual([
    'created .sandport-of-the-guest',
    'created copied',
    'created copied/x',
    'created file',
    'modified file',
    'modified uploaded',
  ]);
});

test('it ends when the directory is removed, moved away, or its root is closed', async () => {
  mkdirSync(inside('a/b/c'), { recursive: true });
  const ends = async (path: string, action: () => void) => {
    using watcher = await fs.watch(path);
    const model = new WatchedModel(watcher, join(scratch.path, path));
    action();
    await model.reading;
    return model.events.map(textOf).at(-1);
  };
  expect(await ends('/watched/a/b/c', () => renameSync(inside('a/b'), inside('a/x')))).toBe('end');
  expect(await ends('/watched/a/x', () => rmSync(inside('a'), { recursive: true }))).toBe('end');
  expect(await ends('/watched', () => fs.close())).toBe('end');
});

test('a thousand watchers leave nothing behind', async () => {
  using disk = scratchOnDisk();
  using other = RootedFs.open(disk.path);
  mkdirSync(join(disk.path, 'a/b'), { recursive: true });
  const before = openDescriptors();
  for (let round = 0; round < 1000; round++) {
    using watcher = await other.watch('/');
    if (round % 10 === 0) writeFileSync(join(disk.path, `f${round}`), '');
    void watcher;
  }
  await expect.poll(openDescriptors, { timeout: 5000 }).toBeLessThanOrEqual(before);
});
