/**
 * Cuts a stream of bytes so that no character of UTF-8 is torn: up to three bytes of a character
 * that has only begun are held back for the next chunk.
 */
export class Utf8Chunks {
  #held: Buffer = Buffer.alloc(0);

  /** What can be handed on; may be empty. */
  add(bytes: Buffer): Buffer {
    const all = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const cut = all.length - begunBytes(all);
    this.#held = all.subarray(cut);
    return all.subarray(0, cut);
  }

  /** What was held back, at the end. */
  rest(): Buffer {
    const rest = this.#held;
    this.#held = Buffer.alloc(0);
    return rest;
  }
}

/** How many bytes at the end are the beginning of a character that is not complete. */
function begunBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}
