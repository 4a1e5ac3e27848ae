import { expect, test } from 'vitest';
import { useDaemon } from '../harness/index.ts';
import { Reader } from './reader.ts';

// Every program of the guide about ports, as it stands there.
const used = useDaemon();
const reader = new Reader('docs/guides/ports-and-previews.md', used);

test('TypeScript: compiles under strict rules, and runs', async () => {
  expect(await reader.runTypeScript('TypeScript')).toBe(
    [
      'http://3000-ID.localhost:8420/?token=…',
      'hello from the sandbox\n',
      '3000 the page public',
      'HTTP/1.0 200 OK',
      '',
    ].join('\n'),
  );
  expect(await used.api.list()).toEqual([]);
});

test('command line: runs', async () => {
  expect(await reader.runShell('Command line')).toMatch(/^3000 +yes[^]*\nhello\n3000\n/);
  expect(await used.api.list()).toEqual([]);
});
