import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { useDaemon } from '../harness/index.ts';
import { runSandport } from './run-sandport.ts';

const used = useDaemon();
const unique = (prefix: string) => `${prefix}-${randomBytes(4).toString('hex')}`;
const sandport = async (...args: readonly string[]) => {
  const { stdout, ...rest } = await runSandport(used, args);
  return { stdout: stdout.toString(), ...rest };
};
const json = async (...args: string[]): Promise<unknown> => {
  const { stdout, stderr, exitCode } = await sandport('--json', ...args);
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(stdout);
};

test('a pool is made, seen, taken from and drained', async () => {
  const set = await json('pool', 'set', 'base', '1', '--isolation', 'container');
  expect(set).toMatchObject({ template: 'base', isolation: 'container', size: 1 });
  const show = () => json('pool', 'show', 'base', '--isolation', 'container');
  await expect.poll(show, { timeout: 30_000 }).toMatchObject({ ready: 1 });
  expect((await sandport('pool', 'ls')).stdout).toMatch(/^base +container +1 +1 +0 +0 +0 +-$/m);
  const name = unique('pooled');
  expect((await sandport('create', '--name', name, '--isolation', 'container')).exitCode).toBe(0);
  expect(await json('show', name)).toMatchObject({ boot_mode: 'pool' });
  expect(await show()).toMatchObject({ taken: 1 });
  await sandport('kill', name);
  expect((await sandport('pool', 'rm', 'base', '--isolation', 'container')).stdout).toBe('base\n');
  const gone = await sandport('pool', 'show', 'base', '--isolation', 'container');
  expect(gone).toMatchObject({ stdout: '', exitCode: 3 });
  expect(gone.stderr).toContain('`sandport pool ls`');
});

test('what a namespace may reach is set, seen and kept', async () => {
  const namespace = unique('ns');
  const set = ['egress', 'set', namespace, '--max', 'allow=*.a.test,a.test'];
  const bound = { namespace, max_egress: 'allowlist', max_allow: ['*.a.test', 'a.test'] };
  expect(await json(...set)).toEqual(bound);
  const refused = await sandport('create', '--namespace', namespace, '--network', 'all');
  expect(refused).toMatchObject({ stdout: '', exitCode: 1 });
  expect(refused.stderr).toContain('may have only *.a.test, a.test');
  expect((await sandport('egress', 'show', namespace)).stdout).toMatch(/^max_allow +\*\.a\.test/m);
  expect(await json('egress', 'set', namespace)).toEqual({ namespace, max_egress: 'all' });
});

test('a quota is set, seen and kept', async () => {
  const namespace = unique('ns');
  const set = ['quota', 'set', namespace, '--sandboxes', '1', '--memory', '4g'];
  expect(await json(...set)).toMatchObject({ namespace, max_sandboxes: 1, max_memory_mb: 4096 });
  const create = ['create', '--namespace', namespace];
  const first = (await sandport(...create)).stdout.trim();
  expect(await sandport(...create)).toMatchObject({ stdout: '', exitCode: 1 });
  expect((await sandport('quota', 'ls')).stdout).toMatch(
    new RegExp(`^${namespace} +1 of 1 +\\d+ of 4096 +\\d+$`, 'm'),
  );
  await sandport('kill', first);
  const cleared = await json('quota', 'set', namespace);
  expect(cleared).not.toHaveProperty('max_sandboxes');
  expect((await sandport('quota', 'show', namespace)).stdout).toMatch(/^sandboxes +0$/m);
});
