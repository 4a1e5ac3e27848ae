/** A packet ends before what must be in it. */
export class MalformedPacket extends Error {}

/** Reads the fields of one packet. Every method throws MalformedPacket where they end too soon. */
export class PacketReader {
  readonly #packet: Buffer;
  #at = 0;

  constructor(packet: Buffer) {
    this.#packet = packet;
  }

  byte(): number {
    return this.#packet.readUInt8(this.#advance(1));
  }

  uint32(): number {
    return this.#packet.readUInt32BE(this.#advance(4));
  }

  /** @throws MalformedPacket also for a number that JavaScript cannot hold */
  uint64(): number {
    const value = Number(this.#packet.readBigUInt64BE(this.#advance(8)));
    if (!Number.isSafeInteger(value)) throw new MalformedPacket('a number is too large');
    return value;
  }

  /** Good as long as the packet is. */
  bytes(): Buffer {
    const length = this.uint32();
    const start = this.#advance(length);
    return this.#packet.subarray(start, start + length);
  }

  #advance(count: number): number {
    const start = this.#at;
    if (count > this.#packet.length - start) throw new MalformedPacket('a packet ends too soon');
    this.#at += count;
    return start;
  }
}
