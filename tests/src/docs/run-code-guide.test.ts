import { expect, test } from 'vitest';
import { useCodeInterpreter, useDaemon } from '../harness/index.ts';
import { Reader } from './reader.ts';

// Every program of the guide about code, as it stands there.
const used = useDaemon();
useCodeInterpreter(used);
const reader = new Reader('docs/guides/run-code.md', used);

test('TypeScript: compiles under strict rules, and runs', async () => {
  const output = await reader.runTypeScript('TypeScript');
  expect(output).toContain("columns: [ 'x', 'y' ]");
  expect(output).toContain('out: working\nZeroDivisionError division by zero\n3\n');
  expect(await used.api.list()).toEqual([]);
}, 120_000);

test('command line: runs', async () => {
  expect(await reader.runShell('Command line')).toContain('21\n/tmp\n');
  expect(await used.api.list()).toEqual([]);
}, 120_000);
