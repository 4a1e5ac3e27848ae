interface Waiting {
  readonly enter: () => void;
}

/** A bounded number of things at one time. Groups that wait take turns, so none holds up the others. */
export class FairSlots {
  readonly #atOnce: number;
  readonly #waiting = new Map<string, Set<Waiting>>();
  #taken = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Resolves with a slot, to be disposed of. Rejects when `signal` aborts first. */
  async enter(group: string, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#taken < this.#atOnce) this.#taken += 1;
    else await this.#wait(group, signal);
    return { [Symbol.dispose]: () => this.#leave() };
  }

  #wait(group: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const queue = this.#waiting.get(group) ?? new Set();
      this.#waiting.set(group, queue);
      const onAbort = () => {
        queue.delete(waiting);
        if (queue.size === 0) this.#waiting.delete(group);
        reject(signal.reason);
      };
      const waiting: Waiting = {
        enter: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      queue.add(waiting);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** The slot goes to the group whose turn it is, which is the last one then. */
  #leave(): void {
    for (const [group, queue] of this.#waiting) {
      const [next] = queue;
      this.#waiting.delete(group);
      if (next === undefined) continue;
      queue.delete(next);
      if (queue.size > 0) this.#waiting.set(group, queue);
      next.enter();
      return;
    }
    this.#taken -= 1;
  }
}
