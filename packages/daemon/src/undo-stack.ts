/** Steps that undo what was done, run last first. */
export class UndoStack implements AsyncDisposable {
  #steps: (() => unknown)[] = [];

  add(step: () => unknown): void {
    this.#steps.push(step);
  }

  use<Resource extends Disposable | AsyncDisposable>(resource: Resource): Resource {
    this.add(() =>
      Symbol.asyncDispose in resource
        ? resource[Symbol.asyncDispose]()
        : resource[Symbol.dispose](),
    );
    return resource;
  }

  /** Hands the steps to a new stack; this one undoes nothing any more. */
  move(): UndoStack {
    const other = new UndoStack();
    other.#steps = this.#steps;
    this.#steps = [];
    return other;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) await step();
  }
}
