/** Keeps the text of an output up to a number of bytes. */
export class OutputBuffer {
  readonly #parts: string[] = [];
  readonly #maxBytes: number;
  #bytes = 0;
  /** True once something was left out. */
  truncated = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(text: string, bytes: number): void {
    if (this.truncated) return;
    const room = this.#maxBytes - this.#bytes;
    if (bytes <= room) {
      this.#parts.push(text);
      this.#bytes += bytes;
      return;
    }
    this.truncated = true;
    // Whole characters only: a cut one is left out.
    const kept = new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, room), {
      stream: true,
    });
    this.#parts.push(kept);
  }

  get text(): string {
    return this.#parts.join('');
  }
}
