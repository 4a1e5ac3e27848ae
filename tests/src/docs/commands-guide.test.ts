import { expect, test } from 'vitest';
import { useDaemon } from '../harness/index.ts';
import { Reader } from './reader.ts';

// Every program of the guide about commands, as it stands there.
const used = useDaemon();
const reader = new Reader('docs/guides/commands.md', used);

test('TypeScript: compiles under strict rules, and runs', async () => {
  const output = await reader.runTypeScript('TypeScript');
  expect(output).toContain('apple\npear\n');
  expect(output).toContain('stderr: done\n');
  expect(output).toContain('\n0 11\n');
  expect(output).toContain('got one\ngot two\nit ended with 0\n0\nended\n');
  expect(output).toContain('24 80');
});

test('Python: runs', async () => {
  const output = await reader.runPython('Python');
  expect(output).toContain('apple\npear\n');
  expect(output).toContain('stderr: done\n');
  expect(output).toContain('\n0 11\n');
  expect(output).toContain('got one\ngot two\nit ended with 0\n0\nended\n');
  expect(output).toContain('24 80');
});

test('command line: runs', async () => {
  const output = await reader.runShell('Command line');
  expect(output).toContain('out\nexit code 3\napple\npear\n');
  expect(output).toMatch(/^ID +STATUS .*\n[0-9a-f]{12} +running /m);
  expect(output).toContain('line 1\nline 2\nline 3\n');
  expect(output).toContain('ended with 143\n');
  expect(await used.api.list()).toEqual([]);
});
