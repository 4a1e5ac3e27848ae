import { maxPacketBytes } from './constants.ts';

/** What came is not SFTP; the channel is closed. */
export class SftpViolation extends Error {}

/** Cuts a stream of bytes into packets, each without its length. */
export class PacketSplitter {
  #chunks: Buffer[] = [];
  #bytes = 0;

  /** The packets that are whole by now. @throws SftpViolation for one that is empty or too long */
  *push(chunk: Buffer): Generator<Buffer> {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= 4) {
      const length = this.#peek(4).readUInt32BE(0);
      if (length === 0 || length > maxPacketBytes)
        throw new SftpViolation(`a packet of ${length} bytes`);
      if (this.#bytes < 4 + length) return;
      yield this.#take(4 + length).subarray(4);
    }
  }

  #peek(count: number): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= count) return first;
    this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #take(count: number): Buffer {
    const whole = this.#peek(count);
    this.#bytes -= count;
    const rest = whole.subarray(count);
    if (rest.length === 0) this.#chunks.shift();
    else this.#chunks[0] = rest;
    return whole.subarray(0, count);
  }
}
