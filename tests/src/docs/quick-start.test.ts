import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { useDaemon } from '../harness/index.ts';
import { Reader } from './reader.ts';

// Every block of the README's quick start, as it stands there.
const used = useDaemon();
const reader = new Reader('README.md', used);
const sorted = '1\n2\n3\n';

/** The downloaded file is right, and no sandbox is left. */
async function expectResult(): Promise<void> {
  expect(await reader.read('sorted.txt')).toBe(sorted);
  await rm(reader.path('sorted.txt'));
  expect(await used.api.list()).toEqual([]);
}

test('TypeScript: compiles under strict rules, and runs', async () => {
  expect(await reader.runTypeScript('TypeScript')).toBe(`exit code 0\n${sorted}\n`);
  await expectResult();
});

test('Python: runs', async () => {
  expect(await reader.runPython('Python')).toBe(`exit code 0\n${sorted}\n`);
  await expectResult();
});

test('curl: runs', async () => {
  await reader.runShell('curl');
  await expectResult();
});

test('command line: runs', async () => {
  await reader.save('data.csv', 'a,b\n1,2\n');
  expect(await reader.runShell('Command line')).toContain('2 /workspace/data.csv');
  expect(await used.api.list()).toEqual([]);
});

test('the quick starts have at most 15 lines', async () => {
  for (const heading of ['TypeScript', 'Python', 'curl']) {
    const lines = (await reader.block(heading)).trim().split('\n');
    expect(lines.length, heading).toBeLessThanOrEqual(15);
  }
});
