import { expect, test } from 'vitest';
import { useDaemon } from '../harness/index.ts';
import { missingProgram } from '../ssh/ssh-home.ts';
import { Reader } from './reader.ts';

// The program of the guide about SSH, as it stands there.
const used = useDaemon();
const reader = new Reader('docs/guides/ssh.md', used);

test('command line: runs', async (context) => {
  for (const program of ['ssh', 'rsync']) {
    const missing = missingProgram(program);
    if (missing !== undefined) context.skip(missing);
  }
  expect(await reader.runShell('Command line')).toMatch(/^Linux\nhello\ncopy\/file *\n[^\n]+\n$/);
  expect(await reader.read('back')).toBe('hello\n');
  expect(await used.api.list()).toEqual([]);
});
