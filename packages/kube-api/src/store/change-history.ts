import { KubeError } from '../objects/kube-error.ts';
import type { StoreChange } from './object-store.ts';

export interface ChangeHistoryOptions {
  /** @default 10000 */
  readonly maxChanges?: number | undefined;
  /** Bound of the bytes of the objects that the changes hold. @default 16 MiB */
  readonly maxBytes?: number | undefined;
}

/** The last changes of one resource, from which interrupted watches go on. */
export class ChangeHistory {
  readonly #maxChanges: number;
  readonly #maxBytes: number;
  #changes: StoreChange[] = [];
  #sizes: number[] = [];
  /** Entries before this one are forgotten; the arrays are cut now and then only. */
  #first = 0;
  #bytes = 0;
  /** Changes up to this revision may be missing. */
  #floor: number;

  constructor(floor: number, { maxChanges = 10_000, maxBytes = 16 << 20 }: ChangeHistoryOptions) {
    this.#floor = floor;
    this.#maxChanges = maxChanges;
    this.#maxBytes = maxBytes;
  }

  add(change: StoreChange, sizeBytes: number): void {
    this.#changes.push(change);
    this.#sizes.push(sizeBytes);
    this.#bytes += sizeBytes;
    while (
      this.#changes.length - this.#first > this.#maxChanges ||
      (this.#bytes > this.#maxBytes && this.#first < this.#changes.length)
    ) {
      this.#forgetFirst();
    }
  }

  /** @throws KubeError `Expired` */
  since(revision: number): readonly StoreChange[] {
    if (revision < this.#floor) {
      throw new KubeError('Expired', `too old resource version: ${revision} (${this.#floor})`);
    }
    let low = this.#first;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#changes[middle]?.revision ?? 0) > revision) high = middle;
      else low = middle + 1;
    }
    return this.#changes.slice(low);
  }

  #forgetFirst(): void {
    this.#floor = this.#changes[this.#first]?.revision ?? this.#floor;
    this.#bytes -= this.#sizes[this.#first] ?? 0;
    this.#first += 1;
    if (this.#first >= 1024 && this.#first * 2 > this.#changes.length) {
      this.#changes = this.#changes.slice(this.#first);
      this.#sizes = this.#sizes.slice(this.#first);
      this.#first = 0;
    }
  }
}
