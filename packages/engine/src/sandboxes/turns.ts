/** Lets the changes of one sandbox's state come one after the other. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #taken = 0;

  /** True while a change is under way or waits. */
  get busy(): boolean {
    return this.#taken > 0;
  }

  /** Runs `change` when all before it have ended, however they ended. */
  take<T>(change: () => Promise<T>): Promise<T> {
    this.#taken += 1;
    const turn = this.#last.then(change).finally(() => {
      this.#taken -= 1;
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when no change is under way. */
  async settled(): Promise<void> {
    while (this.busy) await this.#last;
  }
}
