import { maxPacketBytes } from './constants.ts';

/** What came is not SFTP; the channel is closed. */
export class SftpViolation extends Error {}

const lengthBytes = 4;

/**
 * Cuts a stream of bytes into packets, each without its length. Those that come in pieces are put
 * together in a few buffers, which take turns.
 */
export class PacketSplitter {
  readonly #buffers: Buffer[];
  #turn = 0;
  #filledBytes = 0;
  #wantedBytes = lengthBytes;

  /** @param keptPackets how many packets, beside the newest, are still good when the next is asked for */
  constructor(keptPackets = 0) {
    this.#buffers = Array.from({ length: 1 + keptPackets }, () => Buffer.alloc(lengthBytes));
  }

  /** The packets that are whole by now. @throws SftpViolation for one that is empty or too long */
  *push(chunk: Buffer): Generator<Buffer> {
    for (let at = 0; at < chunk.length; ) {
      if (this.#filledBytes === 0 && chunk.length - at >= lengthBytes) {
        const end = at + lengthBytes + checkedLength(chunk, at);
        if (end <= chunk.length) {
          yield chunk.subarray(at + lengthBytes, end);
          at = end;
          continue;
        }
      }
      at += this.#add(chunk.subarray(at));
      if (this.#filledBytes < this.#wantedBytes) continue;
      if (this.#wantedBytes === lengthBytes) this.#begin();
      else {
        yield this.#buffer.subarray(lengthBytes, this.#filledBytes);
        this.#turn = (this.#turn + 1) % this.#buffers.length;
        this.#filledBytes = 0;
        this.#wantedBytes = lengthBytes;
      }
    }
  }

  get #buffer(): Buffer {
    const buffer = this.#buffers[this.#turn];
    if (buffer === undefined) throw new Error('there is a buffer for every turn');
    return buffer;
  }

  /** Takes what belongs to the packet under way. @returns how many bytes that is */
  #add(bytes: Buffer): number {
    const count = Math.min(bytes.length, this.#wantedBytes - this.#filledBytes);
    bytes.copy(this.#buffer, this.#filledBytes, 0, count);
    this.#filledBytes += count;
    return count;
  }

  /** The length is there: makes room for the rest. */
  #begin(): void {
    this.#wantedBytes = lengthBytes + checkedLength(this.#buffer, 0);
    if (this.#buffer.length >= this.#wantedBytes) return;
    const larger = Buffer.allocUnsafeSlow(this.#wantedBytes);
    this.#buffer.copy(larger, 0, 0, lengthBytes);
    this.#buffers[this.#turn] = larger;
  }
}

function checkedLength(bytes: Buffer, at: number): number {
  const length = bytes.readUInt32BE(at);
  if (length === 0 || length > maxPacketBytes)
    throw new SftpViolation(`a packet of ${length} bytes`);
  return length;
}
