/** Lets one at a time do something with a thing, in the order in which they came. */
export class KeyedLock {
  readonly #last = new Map<string, Promise<void>>();

  /** Runs `action` when all that came before with this key have ended. */
  async run<Result>(key: string, action: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(key);
    let release = (): void => {};
    const mine = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#last.set(key, mine);
    try {
      await before;
      return await action();
    } finally {
      release();
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }
}
