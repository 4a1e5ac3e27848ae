import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { keepJoinsQuick } from './quick-joins.ts';

const groups = () => readFileSync('/proc/self/cgroup', 'utf8');
const pause = () => new Promise((resolve) => setTimeout(resolve, 30));

test('this process stays in its groups', async () => {
  const before = groups();
  const first = keepJoinsQuick();
  const second = keepJoinsQuick();
  await pause();
  expect(groups()).toBe(before);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  second[Symbol.dispose]();
  await pause();
  expect(groups()).toBe(before);
});

test('it keeps no process from ending', () => {
  const module = pathToFileURL(join(import.meta.dirname, '../dist/index.js')).href;
  const script = `import { keepJoinsQuick } from ${JSON.stringify(module)}; keepJoinsQuick();`;
  execFileSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000 });
});
