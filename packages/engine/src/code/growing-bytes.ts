const firstBytes = 1024;

/** Bytes that come in pieces, however small; holds at most twice of what it was given. */
export class GrowingBytes {
  #bytes = Buffer.alloc(0);
  length = 0;

  add(piece: Buffer): void {
    const length = this.length + piece.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(firstBytes, length, this.length * 2));
      this.#bytes.copy(larger, 0, 0, this.length);
      this.#bytes = larger;
    }
    piece.copy(this.#bytes, this.length);
    this.length = length;
  }

  text(): string {
    return this.#bytes.toString('utf8', 0, this.length);
  }
}
