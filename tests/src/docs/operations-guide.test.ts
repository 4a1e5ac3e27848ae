import { expect, test } from 'vitest';
import { useDaemon } from '../harness/index.ts';
import { Reader } from './reader.ts';

// Every program of the guide about running the daemon, as it stands there.
const used = useDaemon();
const reader = new Reader('docs/guides/operations.md', used);

test('command line: runs', async () => {
  const output = await reader.runShell('Command line');
  expect(output).toMatch(/^base +(gvisor|container) +2 +\d/m);
  expect(output).toContain('refused\n');
  expect(output).toMatch(/max_memory_mb +512/);
  expect(output).toMatch(/memory_mb +256/);
  expect(await used.api.list()).toEqual([]);
  expect(await used.api.pools()).toEqual([]);
});

test('curl: runs', async () => {
  const output = await reader.runShell('curl');
  expect(output).toContain('"size":1');
  expect(output).toContain('"code":"limit_reached"');
  expect(output).toContain('"memory_limit_bytes":268435456');
  expect(await used.api.list()).toEqual([]);
});
