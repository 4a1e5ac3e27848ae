import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryLockExclusively } from './ffi/lock-calls.ts';

/** How often a lock that another holds is tried. */
const retryMs = 100;

/**
 * Takes an exclusive lock (flock(2)) on a file, which is made when it is not there, and holds it
 * until disposal or the death of this process. The kernel keeps the lock, so that a crashed holder
 * leaves none behind.
 * @param file trusted path on the host
 * @throws the signal's reason when it aborts while waiting; Node's error when it cannot be opened
 */
export async function lockFile(file: string, signal?: AbortSignal): Promise<Disposable> {
  signal?.throwIfAborted();
  const descriptor = openSync(file, 'a', 0o644);
  try {
    while (!tryLockExclusively(descriptor)) {
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
      signal?.throwIfAborted();
    }
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  let held = true;
  return {
    [Symbol.dispose]: () => {
      if (held) closeSync(descriptor);
      held = false;
    },
  };
}
