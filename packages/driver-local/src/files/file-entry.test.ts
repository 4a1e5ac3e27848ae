import type { FileStat } from '@sandport/linux';
import { fileEntrySchema } from '@sandport/protocol';
import { expect, test } from 'vitest';
import { baseName, fileEntry } from './file-entry.ts';

const stat: FileStat = {
  type: 'file',
  size: 3,
  mode: 0o4755,
  uid: 1000,
  gid: 1000,
  mtimeNs: 1_700_000_000_123_456_789n,
  ctimeNs: 0n,
  ino: 1n,
  nlink: 1,
};

test('times that a guest makes up stay in the form of the contract', () => {
  for (const mtimeNs of [0n, -1n, 2n ** 63n, -(2n ** 70n), 10n ** 30n]) {
    const entry = fileEntry({ name: 'x', path: '/x' }, { ...stat, mtimeNs });
    expect(() => fileEntrySchema.parse(entry)).not.toThrow();
  }
});

test('says what a file is', () => {
  expect(fileEntry({ name: 'x', path: '/d/x' }, stat)).toMatchObject({
    mode: 'f',
    permissions: '4755',
    mtime: 1_700_000_000,
    modified_at: '2023-11-14T22:13:20.123Z',
  });
});

test.each([
  ['/', '/'],
  ['///', '/'],
  ['/a/b', 'b'],
  ['/a/b//', 'b'],
])('the name of %s is %s', (path, name) => expect(baseName(path)).toBe(name));
