import { createDecipheriv } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fasterCipher, type PacketCipher } from './gcm-cipher.ts';

/** A cipher with the fields of the library's own. */
function libraryCipher(algorithm: string, send: (bytes: Buffer) => void) {
  return {
    outSeqno: 7,
    _encSSLName: algorithm,
    _encKey: Buffer.alloc(16, 1),
    _encIV: Buffer.from('000000010000000000fffffe', 'hex'),
    _onWrite: send,
    allocPacket: () => Buffer.alloc(0),
    encrypt: () => {},
    free: () => {},
  } satisfies PacketCipher & Record<string, unknown>;
}

test('packets are those of OpenSSH: whole blocks, a nonce that grows, a tag', () => {
  const sent: Buffer[] = [];
  const cipher = fasterCipher(libraryCipher('aes-128-gcm', (bytes) => sent.push(bytes)));
  let number = 0xfffffen;
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 70_000 }), (payload) => {
      const packet = cipher.allocPacket(payload.length);
      packet.set(payload, 5);
      cipher.encrypt(packet);
      const [length = Buffer.alloc(0), body = Buffer.alloc(0), tag = Buffer.alloc(0)] =
        sent.splice(0);
      expect(length.readUInt32BE(0)).toBe(body.length);
      expect(body.length % 16).toBe(0);
      const nonce = Buffer.alloc(12);
      nonce.writeUInt32BE(1);
      nonce.writeBigUInt64BE(number++, 4);
      const decipher = createDecipheriv('aes-128-gcm', Buffer.alloc(16, 1), nonce);
      decipher.setAAD(length).setAuthTag(tag);
      const plain = Buffer.concat([decipher.update(body), decipher.final()]);
      const paddingBytes = plain.readUInt8(0);
      expect(paddingBytes).toBeGreaterThanOrEqual(4);
      expect(plain.subarray(1, plain.length - paddingBytes).equals(payload)).toBe(true);
    }),
    { numRuns: 200 },
  );
  expect(cipher.outSeqno).toBe(207);
  cipher.free();
  cipher.encrypt(cipher.allocPacket(10));
  expect(sent).toEqual([]);
});

test('a cipher of another kind stays', () => {
  const other = libraryCipher('aes-128-ctr', () => {});
  expect(fasterCipher(other)).toBe(other);
  const none = { outSeqno: 0, allocPacket: other.allocPacket, encrypt() {}, free() {} };
  expect(fasterCipher(none)).toBe(none);
});
