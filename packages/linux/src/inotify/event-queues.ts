import { close } from 'node:fs';
import { inotifyInit } from '../ffi/inotify-calls.ts';
import { errnoOf } from '../ffi/system-error.ts';
import { Refusal } from '../rooted-fs/rooted-fs-error.ts';

const closing = new Set<Promise<void>>();

/**
 * A queue of the kernel's; waits for those that are being closed when there is no other left.
 * @throws Refusal `no_watches`
 */
export async function openKernelQueue(): Promise<number> {
  for (;;) {
    try {
      return inotifyInit();
    } catch (error) {
      if (errnoOf(error) !== 'EMFILE') throw error;
      if (closing.size === 0) throw new Refusal('no_watches', { errno: 'EMFILE' });
    }
    await Promise.race(closing);
  }
}

/** In the thread pool: the kernel takes a while to end a queue. */
export function closeKernelQueue(queue: number): void {
  const closed = new Promise<void>((resolve) => {
    close(queue, () => {
      closing.delete(closed);
      resolve();
    });
  });
  closing.add(closed);
}
