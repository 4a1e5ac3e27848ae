import { Buffer } from 'node:buffer';

/** Bytes that have come, taken in pieces of a wanted length. */
export class ByteQueue {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunks: Buffer[] = [];
  #head = 0;
  /** Bytes that can be taken at once. */
  buffered = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Waits for more. @returns false at the end */
  async more(): Promise<boolean> {
    const { done, value } = await this.#source.next();
    if (done === true) return false;
    this.buffered += value.byteLength;
    if (value.byteLength > 0)
      this.#chunks.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
    return true;
  }

  /** Waits until so many bytes are there. @returns false when the source ends before */
  async fill(bytes: number): Promise<boolean> {
    while (this.buffered < bytes) if (!(await this.more())) return false;
    return true;
  }

  /** Takes exactly so many bytes, which must be there. */
  take(bytes: number): Buffer {
    const [first] = this.#chunks;
    if (first === undefined || bytes === 0) return Buffer.alloc(0);
    this.buffered -= bytes;
    if (first.length - this.#head >= bytes) return this.#advance(first, bytes);
    const parts: Buffer[] = [];
    let missing = bytes;
    while (missing > 0) {
      const [chunk] = this.#chunks;
      if (chunk === undefined) break;
      const part = this.#advance(chunk, Math.min(missing, chunk.length - this.#head));
      missing -= part.length;
      parts.push(part);
    }
    return Buffer.concat(parts, bytes);
  }

  /** Takes what is there, at least a byte and at most so many. */
  takeUpTo(bytes: number): Buffer {
    const [first] = this.#chunks;
    return this.take(Math.min(bytes, (first?.length ?? 0) - this.#head));
  }

  /** Ends the source. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  #advance(chunk: Buffer, bytes: number): Buffer {
    const part = chunk.subarray(this.#head, this.#head + bytes);
    this.#head += bytes;
    if (this.#head === chunk.length) {
      this.#chunks.shift();
      this.#head = 0;
    }
    return part;
  }
}
