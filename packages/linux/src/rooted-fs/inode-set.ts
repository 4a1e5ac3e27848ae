const MIN_SLOTS = 1024;

/** Inode numbers: a million of them in 16 MiB. Never holds 0, which no file has. */
export class InodeSet {
  #slots = new BigUint64Array(MIN_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(inode: bigint): void {
    if (2 * (this.#size + 1) > this.#slots.length) this.#grow();
    const slot = find(this.#slots, inode);
    if (this.#slots[slot] === inode) return;
    this.#slots[slot] = inode;
    this.#size++;
  }

  has(inode: bigint): boolean {
    return inode !== 0n && this.#slots[find(this.#slots, inode)] === inode;
  }

  #grow(): void {
    const larger = new BigUint64Array(2 * this.#slots.length);
    for (const inode of this.#slots) if (inode !== 0n) larger[find(larger, inode)] = inode;
    this.#slots = larger;
  }
}

/** The slot of an inode, or the free one where it belongs. At most half of all are taken. */
function find(slots: BigUint64Array, inode: bigint): number {
  const mask = slots.length - 1;
  const mixed = Number(BigInt.asUintN(32, inode ^ (inode >> 32n)));
  let slot = (Math.imul(mixed, 0x9e3779b1) >>> 7) & mask;
  for (;;) {
    const there = slots[slot];
    if (there === 0n || there === inode) return slot;
    slot = (slot + 1) & mask;
  }
}
