/** Longest delay that a timer of Node takes, in milliseconds. */
const maxDelayMs = 2 ** 31 - 1;

/**
 * Calls `expire` when the earliest of the times that `next` knows has come. One timer, whatever the
 * number of sandboxes; `reschedule` after every change.
 */
export class Reaper implements Disposable {
  readonly #next: () => Date | undefined;
  readonly #expire: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(next: () => Date | undefined, expire: () => void) {
    this.#next = next;
    this.#expire = expire;
  }

  reschedule(): void {
    clearTimeout(this.#timer);
    const at = this.#next();
    if (at === undefined) return;
    const delayMs = Math.min(Math.max(at.getTime() - Date.now(), 0), maxDelayMs);
    this.#timer = setTimeout(() => {
      this.#expire();
      this.reschedule();
    }, delayMs);
    this.#timer.unref();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
