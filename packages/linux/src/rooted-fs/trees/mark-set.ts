const MIN_SLOTS = 1024;

/** Numbers of 64 bits: a million of them in 16 MiB. Never holds 0. */
export class MarkSet {
  #slots = new BigUint64Array(MIN_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(mark: bigint): void {
    if (2 * (this.#size + 1) > this.#slots.length) this.#grow();
    const slot = find(this.#slots, mark);
    if (this.#slots[slot] === mark) return;
    this.#slots[slot] = mark;
    this.#size++;
  }

  has(mark: bigint): boolean {
    return mark !== 0n && this.#slots[find(this.#slots, mark)] === mark;
  }

  #grow(): void {
    const larger = new BigUint64Array(2 * this.#slots.length);
    for (const mark of this.#slots) if (mark !== 0n) larger[find(larger, mark)] = mark;
    this.#slots = larger;
  }
}

/** The slot of a number, or the free one where it belongs. At most half of all are taken. */
function find(slots: BigUint64Array, mark: bigint): number {
  const mask = slots.length - 1;
  const mixed = Number(BigInt.asUintN(32, mark ^ (mark >> 32n)));
  let slot = (Math.imul(mixed, 0x9e3779b1) >>> 7) & mask;
  for (;;) {
    const there = slots[slot];
    if (there === 0n || there === mark) return slot;
    slot = (slot + 1) & mask;
  }
}
