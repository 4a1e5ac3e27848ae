import { setTimeout as sleep } from 'node:timers/promises';
import type { Filesystem } from 'sandport';

/** Changes that come this close together are one round. */
const debounceMs = 100;

/**
 * Runs `sync` once, and again whenever something changed at or below a path of a sandbox, until the
 * path is removed or the signal is aborted.
 * @throws what `sync` throws, and NetworkError when the connection breaks
 */
export async function syncOnChange(
  filesystem: Filesystem,
  path: string,
  sync: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  await using watch = await filesystem.watch(path, { signal });
  const events = watch[Symbol.asyncIterator]();
  let next = events.next();
  // An event may come, or the connection break, while a round is under way.
  next.catch(() => {});
  for (;;) {
    await sync();
    if ((await next).done === true) return;
    const until = sleep(debounceMs, undefined, { signal });
    let waiting = true;
    while (waiting) {
      next = events.next();
      next.catch(() => {});
      const event = await Promise.race([next, until]);
      waiting = event !== undefined && event.done !== true;
    }
  }
}
