/** A number of things that may be held at a time, here and in the whole of which this is a part. */
export class Budget {
  readonly #limit: number;
  readonly #whole: Budget | undefined;
  #held = 0;

  constructor(limit: number, whole?: Budget) {
    this.#limit = limit;
    this.#whole = whole;
  }

  /** False: there is no room for one more. */
  take(): boolean {
    if (this.#held >= this.#limit || this.#whole?.take() === false) return false;
    this.#held += 1;
    return true;
  }

  give(): void {
    this.#held -= 1;
    this.#whole?.give();
  }
}
