/** Pieces of at least this are kept as they come. */
const largeBytes = 4 * 1024;
/** So many smaller ones become one: each is an object, which takes far more than its bytes. */
const smallMax = 1024;

/** Collects bytes up to a limit and remembers whether some were left out. */
export class BoundedText {
  readonly #limitBytes: number;
  readonly #chunks: Buffer[] = [];
  #small: Buffer[] = [];
  #bytes = 0;
  truncated = false;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Returns how many bytes of it are kept. */
  add(chunk: Buffer): number {
    const room = this.#limitBytes - this.#bytes;
    if (chunk.length > room) this.truncated = true;
    if (room <= 0) return 0;
    const kept = chunk.subarray(0, room);
    this.#bytes += kept.length;
    if (kept.length < largeBytes) {
      this.#small.push(kept);
      if (this.#small.length >= smallMax) this.#join();
    } else {
      this.#join();
      this.#chunks.push(kept);
    }
    return kept.length;
  }

  /** As UTF-8; each invalid sequence becomes U+FFFD and loses nothing around it. */
  text(): string {
    this.#join();
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  #join(): void {
    if (this.#small.length === 0) return;
    this.#chunks.push(Buffer.concat(this.#small));
    this.#small = [];
  }
}
