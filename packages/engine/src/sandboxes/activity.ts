/** Something that uses a sandbox for a while. */
interface Use {
  readonly moved: (() => number) | undefined;
  /** What {@link moved} was when it was looked at last. */
  seen: number | undefined;
}

/**
 * When a sandbox was last used: commands and transfers. Counts by a clock that no change of the
 * machine's time moves.
 */
export class Activity {
  readonly #uses = new Set<Use>();
  /** On the clock of `performance.now`. */
  #lastMs: number;

  /** @param last when it was used, as far as an earlier daemon knew */
  constructor(last: Date) {
    this.#lastMs = performance.now() - Math.max(Date.now() - last.getTime(), 0);
  }

  /**
   * Something begins that keeps the sandbox from being idle until the result is disposed of.
   * @param moved counts bytes, where that can stop without an end: while it stands still, the
   * sandbox is not used
   */
  begin(moved?: () => number): Disposable {
    const use: Use = { moved, seen: undefined };
    this.#uses.add(use);
    this.touch();
    return {
      [Symbol.dispose]: () => {
        if (this.#uses.delete(use)) this.touch();
      },
    };
  }

  /** Something happened that took no time. */
  touch(): void {
    this.#lastMs = performance.now();
  }

  /** Since the last use, in milliseconds; 0 while something goes on. */
  get idleMs(): number {
    for (const use of this.#uses) if (goesOn(use)) this.touch();
    return performance.now() - this.#lastMs;
  }

  /** The last moment of use; now while something goes on. */
  get last(): Date {
    return new Date(Date.now() - Math.round(this.idleMs));
  }
}

function goesOn(use: Use): boolean {
  if (use.moved === undefined) return true;
  const before = use.seen;
  use.seen = use.moved();
  return use.seen !== before;
}
