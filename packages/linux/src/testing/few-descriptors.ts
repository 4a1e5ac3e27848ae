import { closeSync, openSync, readdirSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { check, declare } from '../ffi/library.ts';
import { errnoOf } from '../ffi/system-error.ts';

// Safe: both are told of a struct rlimit { u64 soft, hard }, which the buffer has room for.
const getLimit = declare('int getrlimit(int resource, void *limit)');
const setLimit = declare('int setrlimit(int resource, void *limit)');
const RLIMIT_NOFILE = 7;

/** Longer than the library keeps any descriptor after an operation has ended. */
const SETTLED_MS = 60;

/** Lets this process open `count` descriptors more and no others while `operation` runs. */
export async function withFewDescriptors(count: number, operation: () => unknown): Promise<void> {
  const before = Buffer.alloc(16);
  check('getrlimit', () => getLimit(RLIMIT_NOFILE, before));
  const limit = Buffer.from(before);
  limit.writeBigUInt64LE(BigInt(Math.max(...openDescriptors()) + 1 + count), 0);
  check('setrlimit', () => setLimit(RLIMIT_NOFILE, limit));
  const taken: number[] = [];
  try {
    takeAll(taken);
    for (const fd of taken.splice(taken.length - count)) closeSync(fd);
    await operation();
  } finally {
    for (const fd of taken) closeSync(fd);
    check('setrlimit', () => setLimit(RLIMIT_NOFILE, before));
  }
}

/** What this process has open once nothing is on its way to be closed. */
export async function settledDescriptors(): Promise<number> {
  await setTimeout(SETTLED_MS);
  return openDescriptors().length;
}

function takeAll(taken: number[]): void {
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch (error) {
    if (errnoOf(error) !== 'EMFILE') throw error;
  }
}

const openDescriptors = (): number[] => readdirSync('/proc/self/fd').map(Number);
