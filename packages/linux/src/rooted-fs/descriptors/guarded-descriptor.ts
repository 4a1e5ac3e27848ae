import { close, closeSync } from 'node:fs';
import { statDescriptor } from '../attributes/entry.ts';
import type { RawStat } from '../attributes/file-stat.ts';

/**
 * Closing the last descriptor of a deleted file frees its blocks, which takes long for a larger one
 * and is left to the thread pool then.
 */
export const LARGE_FILE_BYTES = 8n * 1024n * 1024n;

/**
 * A descriptor that the thread pool works on. The number is given back to the kernel only when no
 * operation is under way: a read or write that is still running would otherwise hit whatever file
 * gets the same number next.
 */
export class GuardedDescriptor {
  readonly #fd: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #lastStat: RawStat | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** The number, for calls that end before this function's caller returns. @throws Error when closed */
  get fd(): number {
    if (this.#state !== 'open') throw new Error('the file is closed');
    return this.#fd;
  }

  /** What the file is; of a closed one, what it was then. */
  get stat(): RawStat {
    return this.#lastStat ?? statDescriptor(this.#fd);
  }

  /** Starts an asynchronous operation, which must call `done` exactly once when it has ended. */
  start(operation: (fd: number, done: () => void) => void): void {
    const fd = this.fd;
    this.#running++;
    operation(fd, () => {
      this.#running--;
      this.#closeWhenIdle();
    });
  }

  /** Resolves when the descriptor is closed. Idempotent. */
  close(): Promise<void> {
    return new Promise((resolve) => this.closeThen(resolve));
  }

  /** The same for callers with a callback. */
  closeThen(callback: () => void): void {
    if (this.#state === 'closed' && this.#waiting.length === 0) {
      callback();
      return;
    }
    if (this.#state === 'open') this.#state = 'closing';
    this.#waiting.push(callback);
    this.#closeWhenIdle();
  }

  #closeWhenIdle(): void {
    if (this.#state !== 'closing' || this.#running > 0) return;
    this.#state = 'closed';
    const closed = (): void => {
      for (const callback of this.#waiting.splice(0)) callback();
    };
    this.#lastStat = statDescriptor(this.#fd);
    if (this.#lastStat.size > LARGE_FILE_BYTES) close(this.#fd, closed);
    else {
      closeSync(this.#fd);
      closed();
    }
  }
}

/** Closes in the thread pool. */
export function closeInBackground(fd: number): void {
  close(fd, () => {});
}

/** So long the inode of a file that was replaced stays taken, in milliseconds. */
const REPLACED_KEPT_MS = 20;

/**
 * Closes a file that another one took the place of, some moments later: a new file that got its
 * inode number within the same tick of the kernel's clock could have the same ETag.
 */
export function closeReplaced(fd: number): void {
  setTimeout(() => closeInBackground(fd), REPLACED_KEPT_MS).unref();
}
