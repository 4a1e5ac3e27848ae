import { spawn } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isAlive, processStartTime } from './process-identity.ts';
import { scratchOnDisk } from './testing/scratch.ts';

test('this process is alive, impossible ids are not', () => {
  const startTime = processStartTime(process.pid);
  expect(startTime).toBeGreaterThan(0);
  expect(isAlive(process.pid, startTime ?? 0)).toBe(true);
  for (const pid of [0, -1, 1.5, 2 ** 31, Number.NaN]) {
    expect(processStartTime(pid)).toBeUndefined();
  }
});

test('a name that looks like fields of its own does not confuse it', async () => {
  using scratch = scratchOnDisk();
  const program = join(scratch.path, 'x) Z 1 (2');
  copyFileSync('/bin/sleep', program);
  const child = spawn(program, ['1000']);
  await once(child, 'spawn');
  try {
    expect(processStartTime(child.pid ?? 0)).toBeGreaterThan(0);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
