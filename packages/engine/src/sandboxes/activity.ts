/** When a sandbox was last used: commands and transfers. */
export class Activity {
  #running = 0;
  #lastMs: number;

  /** @param last when it was used, as far as an earlier daemon knew */
  constructor(last: Date) {
    this.#lastMs = last.getTime();
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
    this.#lastMs = Date.now();
  }

  /** Undefined while something goes on. */
  get idleSince(): Date | undefined {
    return this.#running > 0 ? undefined : new Date(this.#lastMs);
  }

  /** The last moment of use; now while something goes on. */
  get last(): Date {
    return this.idleSince ?? new Date();
  }
}
