/** Something that can write what it has in memory to a file. */
export interface Spillable {
  spillAll(): void;
}

const defaultMaxBytes = 64 * 1024 * 1024;

/** Bounds what all kept commands together have in memory: those that wrote least lately spill. */
export class SpillBudget {
  readonly #maxBytes: number;
  readonly #held = new Map<Spillable, number>();
  #totalBytes = 0;

  /** @param maxBytes @default 64 MiB */
  constructor(maxBytes = defaultMaxBytes) {
    this.#maxBytes = maxBytes;
  }

  /** Says how much one of them has in memory. */
  changed(spillable: Spillable, bytes: number): void {
    this.#totalBytes += bytes - (this.#held.get(spillable) ?? 0);
    this.#held.delete(spillable);
    if (bytes > 0) this.#held.set(spillable, bytes);
    let leftBytes = this.#totalBytes;
    for (const [each, held] of this.#held) {
      if (leftBytes <= this.#maxBytes) return;
      leftBytes -= held;
      each.spillAll();
    }
  }
}
