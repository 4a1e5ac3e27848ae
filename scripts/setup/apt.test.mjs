import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isRoot } from '../lib/privilege.mjs';
import { aptGet } from './apt.mjs';

// Programs of this test's own stand in for apt-get and dpkg: the real ones cannot be made to fail
// on purpose without harm to the machine.
const realPath = process.env.PATH;
let folder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandport-apt-'));
  process.env.PATH = `${folder}:${realPath}`;
});
afterEach(() => {
  process.env.PATH = realPath;
  rmSync(folder, { recursive: true, force: true });
});

const program = (name, script) => {
  writeFileSync(join(folder, name), `#!/bin/sh\nhere=${folder}\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
};
const calls = () => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');
const needsRoot = (context) => {
  if (!isRoot) context.skip('apt-get runs through sudo for other users');
};

test('passes the arguments on, without questions', async (context) => {
  needsRoot(context);
  program('apt-get', 'echo "$DEBIAN_FRONTEND $*" >> $here/calls');
  expect((await aptGet(['install', 'runc'])).ok).toBe(true);
  expect(calls()[0]).toMatch(/^noninteractive --yes .* install runc$/);
});

test('waits while another program holds the lock, and says so', async (context) => {
  needsRoot(context);
  program(
    'apt-get',
    'test -e $here/free && exit 0; touch $here/free; echo "E: Could not get lock /var/lib/dpkg/lock" >&2; exit 100',
  );
  const said = [];
  expect((await aptGet(['update'], { say: (text) => said.push(text) })).ok).toBe(true);
  expect(said.join('\n')).toMatch(/another program is installing/);
});

test('finishes an interrupted installation once, then tries again', async (context) => {
  needsRoot(context);
  program(
    'apt-get',
    'test -e $here/mended && exit 0; echo "E: dpkg was interrupted, you must manually run" >&2; exit 100',
  );
  program('dpkg', 'echo "$*" >> $here/calls; touch $here/mended');
  expect((await aptGet(['install', 'runc'])).ok).toBe(true);
  expect(calls()).toEqual(['--configure -a']);

  rmSync(join(folder, 'mended'));
  program('dpkg', 'exit 1');
  expect((await aptGet(['install', 'runc'])).ok).toBe(false);
});

test('reports a failure with its output', async (context) => {
  needsRoot(context);
  program('apt-get', 'echo "E: Unable to locate package runsc" >&2; exit 100');
  const result = await aptGet(['install', 'runsc']);
  expect(result.ok).toBe(false);
  expect(result.tail).toContain('E: Unable to locate package runsc');
  expect(existsSync(join(folder, 'calls'))).toBe(false);
});
