import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLock } from '../lib/lock.mjs';
import { ownIdentity } from '../lib/process-identity.mjs';
import { hashContents, stampMatches, writeStamp } from '../lib/stamp.mjs';
import { nodeModulesMatch } from './node-modules.mjs';
import { nodeIsNewEnough } from './platform.mjs';

let folder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandport-setup-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('knows which Node is new enough', () => {
  expect(['v20.19.0', 'v20.20.2', 'v22.0.0', 'v24.1.0'].every(nodeIsNewEnough)).toBe(true);
  expect(['v18.20.0', 'v20.18.3', 'v12.0.0'].some(nodeIsNewEnough)).toBe(false);
});

test('node_modules match only when the whole lock file is installed', () => {
  const entry = { version: '1.0.0', integrity: 'sha512-a' };
  const lock = (packages) => JSON.stringify({ packages });
  const wanted = {
    '': { name: 'root' },
    'packages/x': { version: '0.1.0' },
    'node_modules/a': entry,
    'node_modules/elsewhere': { ...entry, optional: true },
  };
  writeFileSync(join(folder, 'package-lock.json'), lock(wanted));
  expect(nodeModulesMatch(folder)).toBe(false);
  mkdirSync(join(folder, 'node_modules'));
  const installed = join(folder, 'node_modules/.package-lock.json');
  writeFileSync(installed, lock({ 'node_modules/a': entry }));
  expect(nodeModulesMatch(folder)).toBe(true);
  writeFileSync(installed, lock({ 'node_modules/a': { ...entry, version: '1.0.1' } }));
  expect(nodeModulesMatch(folder)).toBe(false);
  writeFileSync(installed, lock({}));
  expect(nodeModulesMatch(folder)).toBe(false);
});

test('a stamp matches until an input changes', () => {
  const input = join(folder, 'input');
  const stamp = join(folder, 'stamps/one');
  writeFileSync(input, 'a');
  expect(stampMatches(stamp, hashContents([input]))).toBe(false);
  writeStamp(stamp, hashContents([input]));
  expect(stampMatches(stamp, hashContents([input]))).toBe(true);
  writeFileSync(input, 'b');
  expect(stampMatches(stamp, hashContents([input]))).toBe(false);
});

test('a lock waits for a living owner and is taken over from a dead one', async () => {
  const path = join(folder, 'lock');
  writeFileSync(path, JSON.stringify({ pid: process.pid, startTime: 'never' }));
  expect(await withLock(path, async () => 'taken over')).toBe('taken over');
  writeFileSync(path, 'half-writ');
  expect(await withLock(path, async () => 'taken over')).toBe('taken over');

  writeFileSync(path, JSON.stringify(ownIdentity()));
  const waits = [];
  const onWait = (owner) => {
    waits.push(owner.pid);
    setTimeout(() => rmSync(path), 300);
  };
  expect(await withLock(path, async () => 'after', { onWait })).toBe('after');
  expect(waits).toEqual([process.pid]);
});
