const firstMs = 1_000;
const longestMs = 300_000;

/** When something that failed is tried again: after a second, and after twice as long each time. */
export class Backoff {
  #failures = 0;
  /** On the clock of `performance.now`. */
  #notBeforeMs = 0;

  get failures(): number {
    return this.#failures;
  }

  /** How long to wait yet, in milliseconds. */
  get waitMs(): number {
    return Math.max(this.#notBeforeMs - performance.now(), 0);
  }

  failed(): void {
    const waitMs = Math.min(firstMs * 2 ** this.#failures, longestMs);
    this.#failures += 1;
    this.#notBeforeMs = performance.now() + waitMs;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#notBeforeMs = 0;
  }
}
