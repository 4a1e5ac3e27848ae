import { type CipherGCMTypes, createCipheriv, randomFillSync } from 'node:crypto';

/** What the library's own cipher for AES-GCM keeps, when it has no native part. */
interface LibraryCipher extends PacketCipher {
  readonly _encSSLName: CipherGCMTypes;
  readonly _encKey: Buffer;
  /** Four bytes that stay, and a number that grows with each packet (RFC 5647). */
  readonly _encIV: Buffer;
  readonly _onWrite: (bytes: Buffer) => void;
}

/** What encrypts packets that are sent. */
export interface PacketCipher {
  /** Counts the packets; the next cipher goes on from there. */
  outSeqno: number;
  /** Room for a packet, whose head is there; `payloadBytes` from the fifth byte on are to be set. */
  allocPacket(payloadBytes: number): Buffer;
  encrypt(packet: Buffer): void;
  free(): void;
}

const blockBytes = 16;
const headBytes = 5;
const minPaddingBytes = 4;

/** A packet that is larger is not kept for the next one. */
const maxKeptBytes = 64 * 1024;

/** Random bytes that are made at a time. */
const randomBytes = 4096;

const isOfLibrary = (cipher: PacketCipher): cipher is LibraryCipher =>
  '_encSSLName' in cipher && '_encIV' in cipher && '_onWrite' in cipher;

/** A faster cipher with the same keys; the same cipher when it is none of AES-GCM. */
export function fasterCipher(cipher: PacketCipher): PacketCipher {
  if (!isOfLibrary(cipher)) return cipher;
  const { _encSSLName: algorithm } = cipher;
  return /^aes-(?:128|256)-gcm$/.test(algorithm) ? new GcmCipher(cipher) : cipher;
}

/**
 * AES-GCM as OpenSSH has it. The library fills one packet, has it encrypted and fills the next: so
 * one piece of memory does for all of them.
 */
class GcmCipher implements PacketCipher {
  outSeqno: number;
  readonly #algorithm: CipherGCMTypes;
  readonly #key: Buffer;
  readonly #nonce: Buffer;
  readonly #send: (bytes: Buffer) => void;
  readonly #random = Buffer.allocUnsafe(randomBytes);
  #randomAt = randomBytes;
  #kept = Buffer.alloc(0);
  #isFree = false;

  constructor({ outSeqno, _encSSLName, _encKey, _encIV, _onWrite }: LibraryCipher) {
    this.outSeqno = outSeqno;
    this.#algorithm = _encSSLName;
    this.#key = _encKey;
    this.#nonce = _encIV;
    this.#send = _onWrite;
  }

  allocPacket(payloadBytes: number): Buffer {
    // The length, which is not encrypted, is no part of what is filled up to whole blocks.
    const rest = (1 + payloadBytes) % blockBytes;
    const missing = blockBytes - rest;
    const paddingBytes = missing < minPaddingBytes ? missing + blockBytes : missing;
    const packet = this.#room(headBytes + payloadBytes + paddingBytes);
    packet.writeUInt32BE(packet.length - 4, 0);
    packet[4] = paddingBytes;
    this.#pad(packet.subarray(headBytes + payloadBytes));
    return packet;
  }

  encrypt(packet: Buffer): void {
    if (this.#isFree) return;
    const cipher = createCipheriv(this.#algorithm, this.#key, this.#nonce);
    // Sent as it is, while the packet's memory is used anew.
    const length = Buffer.from(packet.subarray(0, 4));
    cipher.setAAD(length);
    this.#send(length);
    this.#send(cipher.update(packet.subarray(4)));
    cipher.final();
    this.#send(cipher.getAuthTag());
    this.#nonce.writeBigUInt64BE(BigInt.asUintN(64, this.#nonce.readBigUInt64BE(4) + 1n), 4);
    this.outSeqno = (this.outSeqno + 1) >>> 0;
  }

  free(): void {
    this.#isFree = true;
  }

  #room(sizeBytes: number): Buffer {
    if (sizeBytes > maxKeptBytes) return Buffer.allocUnsafe(sizeBytes);
    if (this.#kept.length < sizeBytes)
      this.#kept = Buffer.allocUnsafeSlow(sizeBytes > 4096 ? maxKeptBytes : 4096);
    return this.#kept.subarray(0, sizeBytes);
  }

  #pad(padding: Buffer): void {
    if (this.#randomAt + padding.length > randomBytes) {
      randomFillSync(this.#random);
      this.#randomAt = 0;
    }
    this.#random.copy(padding, 0, this.#randomAt);
    this.#randomAt += padding.length;
  }
}
