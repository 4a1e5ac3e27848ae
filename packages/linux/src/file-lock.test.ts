import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockFile } from './file-lock.ts';
import { startProgram } from './processes/start-program.ts';
import { type Scratch, scratchOnDisk } from './testing/scratch.ts';

let scratch: Scratch;
let file: string;

beforeEach(() => {
  scratch = scratchOnDisk();
  file = join(scratch.path, 'lock');
});
afterEach(() => scratch[Symbol.dispose]());

/** Whether another process gets it at once. */
const isFree = () => {
  try {
    execFileSync('flock', ['--nonblock', file, 'true']);
    return true;
  } catch {
    return false;
  }
};

test('one holds it until it gives it back', async () => {
  const lock = await lockFile(file);
  expect(isFree()).toBe(false);
  let second: Disposable | undefined;
  const waiting = lockFile(file).then((taken) => (second = taken));
  expect(second).toBeUndefined();
  lock[Symbol.dispose]();
  lock[Symbol.dispose]();
  await waiting;
  expect(isFree()).toBe(false);
  second?.[Symbol.dispose]();
  expect(isFree()).toBe(true);
});

test('a program that is started meanwhile does not hold it', async () => {
  const lock = await lockFile(file);
  const program = await startProgram('sleep', ['1000']);
  lock[Symbol.dispose]();
  expect(isFree()).toBe(true);
  program.signal('SIGKILL');
  await program.ended;
});

test('an abort ends the wait and leaves nothing open', async () => {
  const lock = await lockFile(file);
  const before = readdirSync('/proc/self/fd').length;
  const abort = new AbortController();
  const waiting = lockFile(file, abort.signal);
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  expect(readdirSync('/proc/self/fd').length).toBe(before);
  lock[Symbol.dispose]();
  await expect(lockFile(file, AbortSignal.abort(new Error('late')))).rejects.toThrow('late');
});
