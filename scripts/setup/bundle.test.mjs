import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sandportBin } from '../lib/paths.mjs';

let installed;
const bundledAt = new Date('2026-01-02');

beforeEach(() => {
  installed = mkdtempSync(join(tmpdir(), 'bundle-'));
  cpSync(sandportBin, join(installed, 'bin/sandport.mjs'));
  write('dist/main.js', "process.stdout.write('modules');");
  write('dist/bundle/a/main.mjs', "process.stdout.write('bundle');");
  write('dist/.tsbuildinfo', '', new Date('2026-01-01'));
  const builds = ['../.tsbuildinfo', '../../not-in-a-package'];
  write('dist/bundle/current.json', JSON.stringify({ entry: 'a/main.mjs', builds }), bundledAt);
});
afterEach(() => rmSync(installed, { recursive: true, force: true }));

function write(path, text, time = bundledAt) {
  const file = join(installed, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
  utimesSync(file, time, time);
}

/** Which of the two runs, and what it says about it. */
function runs() {
  const { stdout, stderr } = spawnSync(process.execPath, [join(installed, 'bin/sandport.mjs')]);
  return `${stdout}${stderr}`;
}

test('the command line runs from its bundle', () => {
  expect(runs()).toBe('bundle');
});

test('and from its modules when a package was built later', () => {
  write('dist/.tsbuildinfo', '', new Date('2026-01-03'));
  expect(runs()).toBe('modules');
});

test('and from its modules when there is no bundle, or a broken one', () => {
  write('dist/bundle/current.json', '{"entry":');
  expect(runs()).toBe('modules');
  rmSync(join(installed, 'dist/bundle'), { recursive: true });
  expect(runs()).toBe('modules');
});
