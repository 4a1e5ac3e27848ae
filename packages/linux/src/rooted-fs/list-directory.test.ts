import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { scratchOnDisk } from '../testing/scratch.ts';
import { listingLimits } from './list-directory.ts';
import { RootedFs } from './rooted-fs.ts';

test('entries are sorted by byte and carry names that are not UTF-8', async () => {
  using scratch = scratchOnDisk();
  const names = ['b', 'B', 'a', 'ä', '~', '\u{1F600}', '\uFF5E', 'a b', 'a\nb', '.hidden'];
  for (const name of names) writeFileSync(join(scratch.path, name), name);
  const broken = Buffer.from([0x61, 0xff, 0x62]);
  writeFileSync(Buffer.concat([Buffer.from(`${scratch.path}/`), broken]), '');
  using fs = RootedFs.open(scratch.path);
  const entries = await fs.list('/');
  const expected = [...names.map((name) => Buffer.from(name)), broken].sort(Buffer.compare);
  expect(entries.map((entry) => entry.nameBytes)).toEqual(expected);
  expect(entries.find((entry) => entry.nameBytes.equals(broken))?.name).toBe('a\uFFFDb');
});

test('entries say what they are, symlinks with their text and broken ones too', async () => {
  using scratch = scratchOnDisk();
  mkdirSync(join(scratch.path, 'dir'));
  writeFileSync(join(scratch.path, 'file'), '12345', { mode: 0o640 });
  symlinkSync('/no/where', join(scratch.path, 'link'));
  using fs = RootedFs.open(scratch.path);
  const entries = await fs.list('/');
  expect(entries.map((entry) => [entry.name, entry.stat.type])).toEqual([
    ['dir', 'directory'],
    ['file', 'file'],
    ['link', 'symlink'],
  ]);
  expect(entries[1]?.stat).toMatchObject({ size: 5, mode: 0o640 });
  expect(entries[2]?.stat.symlinkTarget).toBe('/no/where');
});

test('a directory large enough for the thread pool has every entry once', async () => {
  using scratch = scratchOnDisk();
  const names = Array.from({ length: 5000 }, (_, index) => `entry-with-a-long-name-${index}`);
  for (const name of names) symlinkSync('x', join(scratch.path, name));
  using fs = RootedFs.open(scratch.path);
  expect((await fs.list('/')).map((entry) => entry.name)).toEqual(names.sort());
});

test('a directory is not listed beyond the limits, whatever is in it', async () => {
  using scratch = scratchOnDisk();
  for (let index = 0; index < 10; index++)
    symlinkSync('x'.repeat(1000), join(scratch.path, `${index}`));
  using fs = RootedFs.open(scratch.path);
  const usual = { ...listingLimits };
  onTestFinished(() => void Object.assign(listingLimits, usual));
  listingLimits.entries = 9;
  await expect(fs.list('/')).rejects.toMatchObject({ kind: 'too_large', path: '/' });
  listingLimits.entries = 10;
  expect(await fs.list('/')).toHaveLength(10);
  listingLimits.textBytes = 10_000;
  await expect(fs.list('/')).rejects.toMatchObject({ kind: 'too_large' });
});
