import { expect, test } from 'vitest';
import { json, useDaemon } from '../harness/index.ts';
import { Reader } from './reader.ts';

// Every program of the guide about volumes, as it stands there.
const used = useDaemon();
const reader = new Reader('docs/guides/volumes.md', used);

const nothingLeft = async () => {
  expect(await used.api.list()).toEqual([]);
  expect(json(await used.api.send('GET', '/v1/volumes'), 200)).toEqual([]);
};

test('TypeScript: compiles under strict rules, and runs', async () => {
  expect(await reader.runTypeScript('TypeScript')).toBe(
    'the reader sees: 6\n\nand may not write: true\nkept: 6\n\ntrue 0\n',
  );
  await nothingLeft();
});

test('command line: runs', async () => {
  expect(await reader.runShell('Command line')).toContain('from the machine\n');
  await nothingLeft();
});

test('curl: runs', async () => {
  const output = await reader.runShell('curl');
  expect(output).toContain('"size_mb":256');
  expect(output).toContain('from the machine\n');
  expect(output).toContain('note.txt\n');
  await nothingLeft();
});
