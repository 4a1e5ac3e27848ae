import type { Entry } from '../sandboxes/entry.ts';

/** Removals at one time. */
const atOnce = 4;

/** Sandboxes that nobody wants any more, until they are gone. */
export class Endings {
  readonly #end: (entry: Entry) => Promise<void>;
  readonly #log: (message: string, fields: Record<string, unknown>) => void;
  readonly #waiting = new Set<Entry>();
  readonly #underWay = new Set<Entry>();
  /** Those that could not be removed. */
  readonly #failed = new Set<Entry>();
  #closed = false;

  constructor(
    end: (entry: Entry) => Promise<void>,
    log: (message: string, fields: Record<string, unknown>) => void,
  ) {
    this.#end = end;
    this.#log = log;
  }

  /** Idempotent. */
  add(entry: Entry): void {
    if (this.#underWay.has(entry) || this.#failed.has(entry)) return;
    this.#waiting.add(entry);
    this.#next();
  }

  /** Removes those once more that could not be removed. */
  tryAgain(): void {
    const failed = [...this.#failed];
    this.#failed.clear();
    for (const entry of failed) this.add(entry);
  }

  /** Begins no more. */
  close(): void {
    this.#closed = true;
  }

  #next(): void {
    for (const entry of this.#waiting) {
      if (this.#closed || this.#underWay.size >= atOnce) return;
      this.#waiting.delete(entry);
      this.#underWay.add(entry);
      this.#end(entry)
        .catch((error: unknown) => {
          this.#failed.add(entry);
          this.#log('member of a pool not removed', {
            sandbox: entry.row.id,
            error: String(error),
          });
        })
        .finally(() => {
          this.#underWay.delete(entry);
          this.#next();
        });
    }
  }
}
