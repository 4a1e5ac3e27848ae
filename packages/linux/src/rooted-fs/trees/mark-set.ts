const MIN_SLOTS = 1024;

/** The two halves of each number; both 0 where there is none. */
interface Slots {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

/** Numbers of 64 bits: a million of them in 16 MiB. Never holds 0. */
export class MarkSet {
  #slots = newSlots(MIN_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(mark: bigint): void {
    if (2 * (this.#size + 1) > this.#slots.low.length) this.#grow();
    if (put(this.#slots, lowOf(mark), highOf(mark))) this.#size++;
  }

  has(mark: bigint): boolean {
    const slot = find(this.#slots, lowOf(mark), highOf(mark));
    return mark !== 0n && !isFree(this.#slots, slot);
  }

  /** A million numbers find their new places in some milliseconds. */
  #grow(): void {
    const { low, high } = this.#slots;
    const larger = newSlots(2 * low.length);
    for (let slot = 0; slot < low.length; slot++) {
      if (!isFree(this.#slots, slot)) put(larger, low[slot] ?? 0, high[slot] ?? 0);
    }
    this.#slots = larger;
  }
}

const newSlots = (count: number): Slots => ({
  low: new Uint32Array(count),
  high: new Uint32Array(count),
});

const lowOf = (mark: bigint): number => Number(BigInt.asUintN(32, mark));
const highOf = (mark: bigint): number => Number(BigInt.asUintN(32, mark >> 32n));

const isFree = ({ low, high }: Slots, slot: number): boolean => low[slot] === 0 && high[slot] === 0;

/** False when it is there already. */
function put(slots: Slots, low: number, high: number): boolean {
  const slot = find(slots, low, high);
  const isNew = isFree(slots, slot);
  slots.low[slot] = low;
  slots.high[slot] = high;
  return isNew;
}

/** The slot of a number, or the free one where it belongs. At most half of all are taken. */
function find(slots: Slots, low: number, high: number): number {
  const mask = slots.low.length - 1;
  let slot = (Math.imul(low ^ high, 0x9e3779b1) >>> 7) & mask;
  while (!isFree(slots, slot)) {
    if (slots.low[slot] === low && slots.high[slot] === high) return slot;
    slot = (slot + 1) & mask;
  }
  return slot;
}
