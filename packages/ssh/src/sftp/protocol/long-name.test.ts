import type { FileEntry } from '@sandport/protocol';
import { expect, test } from 'vitest';
import { longName } from './long-name.ts';

const entry = (mode: string, permissions: string): FileEntry => ({
  name: 'x',
  path: '/x',
  type: 'file',
  is_dir: mode === 'd',
  size: 12,
  mode: mode as FileEntry['mode'],
  permissions,
  uid: 1000,
  gid: 0,
  mtime: 1_700_000_000,
  modified_at: '2023-11-14T22:13:20.000Z',
});

test.each([
  ['f', '0644', '-rw-r--r--'],
  ['d', '1777', 'drwxrwxrwt'],
  ['l', '0777', 'lrwxrwxrwx'],
  ['f', '6754', '-rwsr-sr--'],
  ['f', '7000', '---S--S--T'],
])('%s %s is %s', (mode, permissions, shown) => {
  expect(longName(entry(mode, permissions), Buffer.from('x')).toString()).toBe(
    `${shown}    1 1000     0                12 Nov 14  2023 x`,
  );
});
