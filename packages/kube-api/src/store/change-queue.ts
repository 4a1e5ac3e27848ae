import type { StoreChange } from './object-store.ts';

type Listener = (change: StoreChange) => void;

/**
 * Tells listeners of changes, in order: what a listener changes while it is told of something is
 * told after all have heard of that.
 */
export class ChangeQueue {
  readonly #listeners = new Set<Listener>();
  readonly #waiting: StoreChange[] = [];
  readonly #log: (message: string, fields: Record<string, unknown>) => void;
  #telling = false;

  constructor(log: (message: string, fields: Record<string, unknown>) => void) {
    this.#log = log;
  }

  subscribe(listener: Listener): Disposable {
    // A set holds a function once; each subscription is one of its own.
    const own: Listener = (change) => listener(change);
    this.#listeners.add(own);
    return { [Symbol.dispose]: () => void this.#listeners.delete(own) };
  }

  add(change: StoreChange): void {
    this.#waiting.push(change);
    if (this.#telling) return;
    this.#telling = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        this.#tell(next);
      }
    } finally {
      this.#telling = false;
    }
  }

  #tell(change: StoreChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#log('A listener of the object store failed', { error: String(error) });
      }
    }
  }
}
