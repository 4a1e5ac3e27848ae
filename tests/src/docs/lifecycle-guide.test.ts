import { expect, test } from 'vitest';
import { useDaemon } from '../harness/index.ts';
import { Reader } from './reader.ts';

// Every program of the guide about the life of sandboxes, as it stands there.
const used = useDaemon();
const reader = new Reader('docs/guides/lifecycle.md', used);

test('TypeScript: compiles under strict rules, and runs', async () => {
  const output = await reader.runTypeScript('TypeScript');
  expect(output).toMatch(
    /^paused kept\n\nhibernated with its (processes|files)\nkept\n\nawake: kept\n\nends: never\n/,
  );
  expect(output).toContain('created\npaused\nresumed\nhibernated\nwoken\nchanged\n');
});

test('Python: runs', async () => {
  const output = await reader.runPython('Python');
  expect(output).toMatch(
    /^paused\nhibernated with its (processes|files)\nkept\n\nends: never\ncreated\n/,
  );
  expect(output).toContain('hibernated\nwoken\nchanged\n');
});

test('command line: runs', async () => {
  const output = await reader.runShell('Command line');
  expect(output).toContain('\nkept\n');
  for (const type of ['created', 'paused', 'resumed', 'hibernated', 'woken', 'changed'])
    expect(output).toMatch(new RegExp(`  ${type} *( |$)`, 'm'));
});

test('curl: runs', async () => {
  const output = await reader.runShell('curl');
  expect(output).toMatch(/x-sandport-woke: (memory|disk)/i);
  expect(output).toContain('"stdout":"up\\n"');
  expect(output).toContain('"ttl_seconds":3600');
  for (const type of ['created', 'hibernated', 'woken', 'changed', 'deleted'])
    expect(output).toContain(`"type":"${type}"\n`);
  expect(await used.api.list()).toEqual([]);
});
