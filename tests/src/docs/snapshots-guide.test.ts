import { expect, test } from 'vitest';
import { json, useDaemon } from '../harness/index.ts';
import { Reader } from './reader.ts';

// Every program of the guide about snapshots and forks, as it stands there.
const used = useDaemon();
const reader = new Reader('docs/guides/snapshots-and-forks.md', used);

const nothingLeft = async () => {
  expect(await used.api.list()).toEqual([]);
  expect(json(await used.api.send('GET', '/v1/snapshots'), 200)).toEqual([]);
};

test('TypeScript: compiles under strict rules, and runs', async () => {
  expect(await reader.runTypeScript('TypeScript')).toMatch(
    /^1 2 3 4\n idea 1\n\n2 siblings deleted\n(with processes|disk only)\nidea 1\n\nidea 1\n\n2 10\n\n$/,
  );
  await nothingLeft();
});

test('command line: runs', async () => {
  const output = await reader.runShell('Command line');
  expect(output).toMatch(/^start\nstart\ntried\n[^]*start\ntried\n/);
  await nothingLeft();
});

test('curl: runs', async () => {
  expect(await reader.runShell('curl')).toBe('disk\n');
  await nothingLeft();
});
