import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { byteString } from '../../ffi/byte-string.ts';
import { scratchOnDisk } from '../../testing/scratch.ts';
import { RootedFs } from '../rooted-fs.ts';
import { UnfinishedCopies } from './unfinished-copies.ts';

test('what a process that ended had begun is removed, and nothing else', async () => {
  using scratch = scratchOnDisk();
  const root = join(scratch.path, 'root');
  const notes = join(scratch.path, 'notes');
  const outside = join(scratch.path, 'outside');
  const name = `.sandport-${'0'.repeat(18)}`;
  for (const path of [`${root}/a/${name}/sub`, `${root}/b/keep`, `${outside}/${name}`]) {
    mkdirSync(path, { recursive: true });
  }
  writeFileSync(join(root, 'a', name, 'file'), 'x');
  const earlier = new UnfinishedCopies(notes);
  // Notes of a process that is killed are not disposed of.
  earlier.note(byteString(`/a/${name}`));
  earlier.note(byteString('/b/keep'));
  earlier.note(byteString(`/gone/${name.replace('0', '1')}`));
  symlinkSync(outside, join(root, 'link'));
  earlier.note(byteString(`/link/${name.replace('0', '2')}`));
  using fs = RootedFs.open(root, { notesDirectory: notes });
  await fs.removeUnfinished();
  expect(readdirSync(join(root, 'a'))).toEqual([]);
  expect(readdirSync(join(root, 'b'))).toEqual(['keep']);
  expect(existsSync(join(outside, name))).toBe(true);
  expect(readdirSync(notes)).toEqual([]);
  await fs.removeUnfinished();
  await fs.copy('/b', '/c');
  expect(readdirSync(notes)).toEqual([]);
});
