import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { TreeTarget } from '../tree/tree-target.ts';
import { LocalTarget } from './download/local-target.ts';
import { makeDirectories } from './make-directories.ts';

const directory = mkdtempSync(join(tmpdir(), 'sandport-make-directories-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('makes what is missing, and goes through links to directories', () => {
  const path = join(directory, 'a/b/c');
  makeDirectories(path);
  makeDirectories(path);
  expect(statSync(path).isDirectory()).toBe(true);
  symlinkSync('a', join(directory, 'link'));
  makeDirectories(join(directory, 'link/d'));
  expect(existsSync(join(directory, 'a/d'))).toBe(true);
});

test('says what is in the way', () => {
  writeFileSync(join(directory, 'file'), '');
  expect(() => makeDirectories(join(directory, 'file'))).toThrow('EEXIST');
  expect(() => makeDirectories(join(directory, 'file/below'))).toThrow('ENOTDIR');
});

test('downloads to where nothing can be made end with an error', async () => {
  expect(() => makeDirectories('/proc/sandport/a/b')).toThrow('ENOENT');
  expect(() => new TreeTarget('/proc/sandport/a/b', true)).toThrow('/proc/sandport/a/b');
  await expect(LocalTarget.open('/proc/sandport/a/b', 'follow')).rejects.toThrow(
    '/proc/sandport/a/b',
  );
});
