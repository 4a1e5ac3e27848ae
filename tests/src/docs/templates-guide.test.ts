import { expect, test } from 'vitest';
import { templateNames, useDaemon } from '../harness/index.ts';
import { Reader } from './reader.ts';

// Every program of the guide about templates, as it stands there.
const used = useDaemon();
const reader = new Reader('docs/guides/templates.md', used);

test('TypeScript: compiles under strict rules, and runs', async () => {
  const output = await reader.runTypeScript('TypeScript');
  expect(output).toMatch(/^ready 512\nready\n\ndone: ./);
  expect(await templateNames(used.api)).not.toContain('guide-made');
  expect(await used.api.list()).toEqual([]);
}, 120_000);

test('command line: runs', async () => {
  expect(await reader.runShell('Command line')).toContain('\nready\n');
  expect(await templateNames(used.api)).not.toContain('guide-tools');
  expect(await used.api.list()).toEqual([]);
}, 120_000);

test('curl: runs', async () => {
  expect(await reader.runShell('curl')).toContain('event: done\nevent: log\nready\n');
  expect(await templateNames(used.api)).not.toContain('guide-copy');
  expect(await used.api.list()).toEqual([]);
}, 120_000);
