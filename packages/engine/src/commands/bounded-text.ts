/** Collects bytes up to a limit and remembers whether some were left out. */
export class BoundedText {
  readonly #limitBytes: number;
  readonly #chunks: Buffer[] = [];
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
    this.#chunks.push(kept);
    this.#bytes += kept.length;
    return kept.length;
  }

  /** As UTF-8; each invalid sequence becomes U+FFFD and loses nothing around it. */
  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}
