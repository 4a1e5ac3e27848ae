import { close, closeSync } from 'node:fs';

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

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** The number, for calls that end before this function's caller returns. @throws Error when closed */
  get fd(): number {
    if (this.#state !== 'open') throw new Error('the file is closed');
    return this.#fd;
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
    if (this.#state === 'closed') {
      callback();
      return;
    }
    this.#state = 'closing';
    this.#waiting.push(callback);
    this.#closeWhenIdle();
  }

  #closeWhenIdle(): void {
    if (this.#state !== 'closing' || this.#running > 0) return;
    this.#state = 'closed';
    closeSync(this.#fd);
    for (const callback of this.#waiting.splice(0)) callback();
  }
}

/** Closes in the thread pool: the last reference to a large deleted file takes long to drop. */
export function closeInBackground(fd: number): void {
  close(fd, () => {});
}
