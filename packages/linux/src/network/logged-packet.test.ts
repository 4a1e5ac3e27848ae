import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packetOf } from './logged-packet.ts';

/** A netlink message with one packet in it, as the kernel writes it. */
function message(packet: Buffer): Buffer {
  const attribute = Buffer.alloc(4 + Math.ceil(packet.length / 4) * 4);
  attribute.writeUInt16LE(4 + packet.length, 0);
  attribute.writeUInt16LE(9, 2);
  packet.copy(attribute, 4);
  const head = Buffer.alloc(20);
  head.writeUInt32LE(20 + attribute.length, 0);
  head.writeUInt16LE(4 << 8, 4);
  return Buffer.concat([head, attribute]);
}

const tcp = Buffer.from('450000280000400040060000c6120002cb0071010400001900000000', 'hex');

describe('packets of the log', () => {
  it('reads addresses, protocol and port', () => {
    const both = Buffer.concat([message(tcp), message(tcp)]);
    const packet = {
      source: 0xc6120002,
      destination: 0xcb007101,
      protocol: 6,
      destinationPort: 25,
    };
    expect(packetOf(both)).toEqual([packet, packet]);
  });

  it('leaves out what is cut off', () => {
    expect(packetOf(message(tcp).subarray(0, 30))).toEqual([]);
    expect(packetOf(message(tcp.subarray(0, 19)))).toEqual([]);
    expect(packetOf(message(tcp.subarray(0, 21)))[0]?.destinationPort).toBeUndefined();
  });

  it('never throws, whatever a packet holds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        packetOf(Buffer.from(bytes));
        packetOf(message(Buffer.from(bytes)));
      }),
    );
  });
});
