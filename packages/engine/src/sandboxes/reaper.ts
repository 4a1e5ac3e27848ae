/**
 * Longest time between two looks at the clock, in milliseconds: so long may a change of the
 * machine's time go unnoticed.
 */
const maxDelayMs = 30_000;

/**
 * Calls `expire` when the earliest of the times that `next` knows has come. One timer, whatever the
 * number of things that expire; `reschedule` after every change.
 */
export class Reaper implements Disposable {
  readonly #next: () => Date | undefined;
  readonly #expire: () => void;
  #timer: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(next: () => Date | undefined, expire: () => void) {
    this.#next = next;
    this.#expire = expire;
  }

  reschedule(): void {
    clearTimeout(this.#timer);
    const at = this.#disposed ? undefined : this.#next();
    if (at === undefined) return;
    const delayMs = Math.min(Math.max(at.getTime() - Date.now(), 0), maxDelayMs);
    this.#timer = setTimeout(() => {
      this.#expire();
      this.reschedule();
    }, delayMs);
    this.#timer.unref();
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    clearTimeout(this.#timer);
  }
}
