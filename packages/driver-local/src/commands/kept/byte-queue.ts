/** Small pieces share a buffer of this size, so that many of them do not hold much memory. */
const blockBytes = 16 * 1024;

/** Bytes in memory that come at one end and go at the other. */
export class ByteQueue {
  #blocks: { readonly buffer: Buffer; from: number; to: number }[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies the bytes. */
  push(bytes: Buffer): void {
    this.#length += bytes.length;
    const last = this.#blocks.at(-1);
    const copied = last ? bytes.copy(last.buffer, last.to) : 0;
    if (last) last.to += copied;
    if (copied === bytes.length) return;
    const rest = bytes.subarray(copied);
    const buffer = Buffer.allocUnsafeSlow(Math.max(blockBytes, rest.length));
    this.#blocks.push({ buffer, from: 0, to: rest.copy(buffer) });
  }

  /** The first bytes, not copied: they stay what they are. */
  views(): Buffer[] {
    return this.#blocks.map(({ buffer, from, to }) => buffer.subarray(from, to));
  }

  /** Some bytes from this position on; at least one when there is one. */
  at(position: number): Buffer | undefined {
    let before = 0;
    for (const { buffer, from, to } of this.#blocks) {
      if (position < before + to - from) return buffer.subarray(from + position - before, to);
      before += to - from;
    }
    return undefined;
  }

  /** Takes away the first bytes. */
  drop(bytes: number): void {
    let left = Math.min(bytes, this.#length);
    this.#length -= left;
    for (let first = this.#blocks[0]; first !== undefined && left > 0; first = this.#blocks[0]) {
      const taken = Math.min(left, first.to - first.from);
      first.from += taken;
      left -= taken;
      if (first.from < first.to) break;
      this.#blocks.shift();
    }
    if (this.#length === 0) this.#blocks = [];
  }
}
