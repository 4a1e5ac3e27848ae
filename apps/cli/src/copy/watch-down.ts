import { setTimeout as sleep } from 'node:timers/promises';
import { type Filesystem, NetworkError, TimeoutError, UnavailableError } from 'sandport';

/** Changes that come this close together are one round. */
const debounceMs = 100;

/** Pause before a broken connection is made again, growing to the longer one. */
const firstRetryMs = 250;
const longestRetryMs = 5000;

/** What is done about changes below a path of a sandbox. */
export interface SyncOnChangeOptions {
  readonly sync: () => Promise<void>;
  /** Called when the daemon could not be reached, once a sync has shown that it can be. */
  readonly onInterruption: (error: Error) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs `sync` once, and again whenever something changed at or below a path of a sandbox, until the
 * path is removed or the signal is aborted. A connection that breaks is made again.
 * @throws what `sync` throws
 */
export async function syncOnChange(
  filesystem: Filesystem,
  path: string,
  { sync, onInterruption, signal }: SyncOnChangeOptions,
): Promise<void> {
  let works = false;
  let retryMs = firstRetryMs;
  const syncWell = async () => {
    await sync();
    works = true;
    retryMs = firstRetryMs;
  };
  for (;;) {
    try {
      await watchAndSync(filesystem, path, syncWell, signal);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!works || !isInterruption(error)) throw error;
      onInterruption(error);
      await sleep(retryMs, undefined, { signal }).catch(() => signal.throwIfAborted());
      retryMs = Math.min(retryMs * 2, longestRetryMs);
    }
  }
}

const isInterruption = (error: unknown): error is Error =>
  error instanceof NetworkError ||
  error instanceof TimeoutError ||
  error instanceof UnavailableError;

async function watchAndSync(
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
