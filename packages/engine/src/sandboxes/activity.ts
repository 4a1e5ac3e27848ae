/**
 * When a sandbox was last used: commands and transfers. Counts by a clock that no change of the
 * machine's time moves.
 */
export class Activity {
  #running = 0;
  /** On the clock of `performance.now`. */
  #lastMs: number;

  /** @param last when it was used, as far as an earlier daemon knew */
  constructor(last: Date) {
    this.#lastMs = performance.now() - Math.max(Date.now() - last.getTime(), 0);
  }

  /** Something begins that keeps the sandbox from being idle until the result is disposed of. */
  begin(): Disposable {
    this.#running += 1;
    this.touch();
    let ended = false;
    return {
      [Symbol.dispose]: () => {
        if (ended) return;
        ended = true;
        this.#running -= 1;
        this.touch();
      },
    };
  }

  /** Something happened that took no time. */
  touch(): void {
    this.#lastMs = performance.now();
  }

  /** True while something goes on. */
  get busy(): boolean {
    return this.#running > 0;
  }

  /** Since the last use, in milliseconds; 0 while something goes on. */
  get idleMs(): number {
    return this.busy ? 0 : performance.now() - this.#lastMs;
  }

  /** The last moment of use; now while something goes on. */
  get last(): Date {
    return new Date(Date.now() - Math.round(this.idleMs));
  }
}
