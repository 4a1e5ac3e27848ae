type Step = () => void | Promise<void>;

/** Steps that undo what was done so far, for when a later step fails. */
export class Undo {
  readonly #steps: Step[] = [];
  readonly #onError: (error: unknown) => void;

  /** @param onError told of steps that fail; the others run all the same */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Registers how to undo what is done next or was just done. */
  add(step: Step): void {
    this.#steps.push(step);
  }

  /** Runs the steps, last one first. */
  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
