import type { FileInfo } from 'sandport';
import { describe, expect, test } from 'vitest';
import { entryJson } from './entry-json.ts';
import { letters, localTime, longListing } from './long-listing.ts';
import { searchLines } from './search-lines.ts';
import { describeAction, describeSync } from './sync-report.ts';
import { wireJson } from './wire-json.ts';

const entry: FileInfo = {
  name: 'a\u001B]0;x\u0007\nb',
  path: '/w/a',
  type: 'file',
  isDirectory: false,
  is_dir: false,
  size: 2048,
  mode: 'f',
  permissions: '0644',
  uid: 1000,
  gid: 1000,
  mtime: 1_700_000_000,
  modifiedAt: new Date(1_700_000_000_000),
  symlinkTarget: '\u009B2J',
};

test('a listing has no control character of a name or a link', () => {
  const line = longListing(entry);
  expect(line).toMatch(
    /^-rw-r--r-- +1000 +1000 +2.0 KiB {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}a\\x1b/,
  );
  expect(line).not.toMatch(/\p{Cc}/u);
  expect(longListing(entry, { exactBytes: true, name: 'x' })).toContain('  2048  ');
});

test('JSON has names as they are, spelled as the API does', () => {
  const json = entryJson(entry);
  expect(json).toMatchObject({ name: entry.name, symlink_target: entry.symlinkTarget });
  expect(json).toMatchObject({ is_dir: false, modified_at: '2023-11-14T22:13:20.000Z' });
  expect(json).not.toHaveProperty('is_directory');
  expect(wireJson({ aB: [{ cD: null, e: undefined }] })).toEqual({ a_b: [{ c_d: null }] });
});

test.each([
  ['f', '0644', '-rw-r--r--'],
  ['d', '1777', 'drwxrwxrwt'],
  ['f', '6755', '-rwsr-sr-x'],
  ['f', '7000', '---S--S--T'],
  ['l', '0777', 'lrwxrwxrwx'],
  ['p', '0600', 'prw-------'],
])('%s with %s is %s', (mode, permissions, text) => {
  expect(letters({ mode, permissions })).toBe(text);
});

test('localTime is local', () => {
  expect(localTime(new Date(2026, 0, 2, 3, 4, 5))).toBe('2026-01-02 03:04:05');
});

describe('searchLines', () => {
  const match = { path: '/f', line: 3, column: 1, text: 'hit' };

  test('one line a match', () => {
    expect([...searchLines([match, { ...match, path: '/g\n', text: '\u001B[m\tx' }])]).toEqual([
      '/f:3:hit',
      '/g\\n:3:\\x1b[m\tx',
    ]);
  });

  test('lines around matches come once, with marks between groups', () => {
    const near = { ...match, line: 5, before: ['hit', 'four'], after: ['six'] };
    const far = { ...match, line: 20, before: ['19'], after: ['21'] };
    const other = { ...match, path: '/g', line: 1, before: [], after: ['2'] };
    const first = { ...match, before: ['one', 'two'], after: ['four', 'hit'] };
    expect([...searchLines([first, near, far, other])]).toEqual([
      '/f-1-one',
      '/f-2-two',
      '/f:3:hit',
      '/f-4-four',
      '/f:5:hit',
      '/f-6-six',
      '--',
      '/f-19-19',
      '/f:20:hit',
      '/f-21-21',
      '--',
      '/g:1:hit',
      '/g-2-2',
    ]);
  });
});

test('what a sync does', () => {
  const action = { path: 'd/x', type: 'file', bytes: 1 } as const;
  expect(describeAction({ ...action, action: 'created', type: 'directory' })).toBe('+ d/x/');
  expect(describeAction({ ...action, action: 'replaced' })).toBe('~ d/x');
  expect(describeAction({ ...action, action: 'deleted' })).toBe('- d/x');
  const counts = { created: 1, updated: 2, deleted: 3, unchanged: 4, bytes: 5 };
  const result = { ...counts, actions: [], skipped: [] };
  expect(describeSync({ ...result, dryRun: false })).toBe(
    '1 new, 2 changed, 3 deleted, 4 the same; 5 B sent',
  );
  expect(describeSync({ ...result, dryRun: true })).toMatch(/^Would do: .*to send$/);
});
