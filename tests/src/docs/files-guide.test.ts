import { rm } from 'node:fs/promises';
import { beforeEach, expect, test } from 'vitest';
import { useDaemon } from '../harness/index.ts';
import { Reader } from './reader.ts';

// Every program of the guide about files, as it stands there.
const used = useDaemon();
const reader = new Reader('docs/guides/files.md', used);

beforeEach(async () => {
  await rm(reader.path('project'), { recursive: true, force: true });
  await rm(reader.path('result'), { recursive: true, force: true });
  await reader.save('project/a.txt', 'alpha\nbeta\n');
  await reader.save('project/src/main.py', 'print(1)\n');
  await reader.save('project/debug.log', 'not to be sent\n');
});

test('TypeScript: compiles under strict rules, and runs', async () => {
  const output = await reader.runTypeScript('TypeScript');
  expect(output).toContain('2 files up\n0 updated, ');
  expect(output).toContain('/workspace/project/a.txt:1: gamma\n');
  expect(output).toContain('created /workspace/project/new.txt\n');
  expect(output).toContain('GAMMA\ndelta\n');
  expect(await reader.read('result/a.txt')).toBe('GAMMA\ndelta\n');
  await expect(reader.read('result/debug.log')).rejects.toThrow('ENOENT');
});

test('Python: runs', async () => {
  const output = await reader.runPython('Python');
  expect(output).toContain('2 files up\n0 updated, ');
  expect(output).toContain('/workspace/project/a.txt:1: gamma\n');
  expect(output).toContain('created /workspace/project/new.txt\n');
  expect(output).toContain('GAMMA\ndelta\n');
  expect(await reader.read('result/a.txt')).toBe('GAMMA\ndelta\n');
});

test('command line: runs', async () => {
  const output = await reader.runShell('Command line');
  expect(output).toContain('/workspace/project/a.txt:1:alpha\n');
  expect(output).toMatch(/^A \/workspace\/project\/b\.txt/m);
  expect(await reader.read('result/b.txt')).toBe('alpha\nbeta\n');
});

test('curl: runs', async () => {
  const output = await reader.runShell('curl');
  expect(output).toMatch(/^\nbeta\n304\n/);
  expect(output).toContain('"line":2');
  expect(await reader.read('result/src/main.py')).toBe('print(1)\n');
  expect(await used.api.list()).toEqual([]);
});
