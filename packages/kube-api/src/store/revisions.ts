import type { ObjectTable } from './object-table.ts';

/** How many revisions are reserved at once: one write to the table for that many changes. */
const blockSize = 1000;

/**
 * Counts the changes of all objects. Strictly grows, across restarts too: a number is given out
 * only after the table has promised never to start below it again.
 */
export class Revisions {
  readonly #table: Pick<ObjectTable, 'revision' | 'reserve'>;
  #current: number;
  #reserved: number;

  constructor(table: Pick<ObjectTable, 'revision' | 'reserve'>) {
    this.#table = table;
    this.#reserved = table.revision();
    // "0" means "any" to clients, so no answer has it.
    this.#current = Math.max(1, this.#reserved);
  }

  get current(): number {
    return this.#current;
  }

  /** The next one. It is not given out again, whether or not the change then succeeds. */
  next(): number {
    const revision = this.#current + 1;
    if (revision > this.#reserved) {
      this.#table.reserve(revision + blockSize - 1);
      this.#reserved = revision + blockSize - 1;
    }
    this.#current = revision;
    return revision;
  }
}
