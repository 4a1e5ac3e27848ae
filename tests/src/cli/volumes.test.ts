import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testRun, useDaemon } from '../harness/index.ts';
import { runSandport, type SandportOptions } from './run-sandport.ts';

const used = useDaemon();
const unique = (prefix: string) => `${prefix}-${randomBytes(4).toString('hex')}`;
const sandport = async (args: readonly string[], options: SandportOptions = {}) => {
  const { stdout, ...rest } = await runSandport(used, args, options);
  return { stdout: stdout.toString(), ...rest };
};
const ok = (stdout: string) => ({ stdout, stderr: '', exitCode: 0 });

let local = '';
beforeAll(() => {
  local = mkdtempSync(join(testRun().tempDir, 'cli-volumes-'));
  mkdirSync(join(local, 'tree/sub'), { recursive: true });
  writeFileSync(join(local, 'tree/a.txt'), 'alpha\n');
  writeFileSync(join(local, 'tree/sub/b.txt'), 'beta\n');
});
afterAll(() => rmSync(local, { recursive: true }));

test('files of a volume without any sandbox: cp, fs, sync', async () => {
  const name = unique('data');
  const [from, at] = [join(local, 'tree'), `volume:${name}`];
  expect(await sandport(['volume', 'create', name, '--size', '64m'])).toEqual(ok(`${name}\n`));
  expect(await sandport(['cp', `${from}/.`, `${at}:/`])).toEqual(ok(''));
  expect(await sandport(['cp', '-', `${at}:/c.txt`], { stdin: 'gamma\n' })).toEqual(ok(''));
  const names = await sandport(['fs', 'find', at, '*.txt']);
  expect(names.stdout.trim().split('\n')).toEqual(['/a.txt', '/c.txt', '/sub/b.txt']);
  expect(await sandport(['fs', 'cat', `${at}:/sub/b.txt`])).toEqual(ok('beta\n'));
  expect((await sandport(['fs', 'mv', `${at}:/c.txt`, `${at}:/d.txt`])).exitCode).toBe(0);
  expect((await sandport(['fs', 'grep', 'gamma', at])).stdout).toContain('/d.txt');

  const down = join(local, 'down');
  expect((await sandport(['sync', `${at}:/`, down])).exitCode).toBe(0);
  expect(readFileSync(join(down, 'd.txt'), 'utf8')).toBe('gamma\n');
  writeFileSync(join(down, 'd.txt'), 'delta\n');
  expect((await sandport(['sync', '--delete', down, `${at}:/`])).stdout).toBe('~ d.txt\n');
  expect(await sandport(['fs', 'cat', `${at}:/d.txt`])).toEqual(ok('delta\n'));

  // A sandbox sees the same files, and copies go between both.
  const box = unique('box');
  await sandport(['create', '--name', box, '--volume', `${name}:/srv/data:ro`]);
  expect(await sandport(['exec', box, 'cat /srv/data/d.txt'])).toEqual(ok('delta\n'));
  expect(await sandport(['cp', `${at}:/sub`, `${box}:/workspace/`])).toEqual(ok(''));
  expect(await sandport(['exec', box, 'cat /workspace/sub/b.txt'])).toEqual(ok('beta\n'));
  expect(await sandport(['cp', `${box}:/workspace/sub/b.txt`, `${at}:/e.txt`])).toEqual(ok(''));

  const refused = await sandport(['volume', 'rm', name]);
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
  expect(refused.stderr).toContain('Kill the sandboxes');
  await sandport(['kill', box]);
  const shown: unknown = JSON.parse((await sandport(['volume', 'show', name, '--json'])).stdout);
  expect(shown).toMatchObject({ name, size_mb: 64, used_by: [], size_bytes: expect.any(Number) });
  expect(await sandport(['volume', 'rm', name])).toEqual(ok(`${name}\n`));
});

test('a volume of another namespace, and what has no volume', async () => {
  const name = unique('other');
  await sandport(['volume', 'create', name, '--namespace', 'team']);
  const at = `volume:team/${name}`;
  expect(await sandport(['cp', join(local, 'tree/a.txt'), `${at}:/`])).toEqual(ok(''));
  expect(await sandport(['fs', 'cat', `${at}:/a.txt`])).toEqual(ok('alpha\n'));
  expect((await sandport(['fs', 'cat', `volume:${name}:/a.txt`])).exitCode).toBe(3);
  expect((await sandport(['cp', '-', `volume:${name}`], { stdin: '' })).exitCode).toBe(2);
  // Changes and links belong to sandboxes.
  expect((await sandport(['diff', at])).exitCode).toBe(2);
  expect((await sandport(['fs', 'link', 'create', `${at}:/a.txt`])).exitCode).toBe(2);
  await sandport(['volume', 'rm', name, '--namespace', 'team']);
});
