import { Turns } from '../sandboxes/turns.ts';

/** Kernels of one sandbox that start at the same time: more would only take the time from each other. */
const atOnce = 2;

/** Lets the starts of kernels in one sandbox wait for each other. */
export class StartTurns {
  readonly #turns = Array.from({ length: atOnce }, () => new Turns());
  #next = 0;

  take<T>(start: () => Promise<T>): Promise<T> {
    this.#next = (this.#next + 1) % atOnce;
    const turns = this.#turns.find(({ busy }) => !busy) ?? this.#turns[this.#next];
    return turns === undefined ? start() : turns.take(start);
  }
}
