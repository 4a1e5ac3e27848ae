import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maxPacketBytes } from './constants.ts';
import { PacketSplitter, SftpViolation } from './packet-splitter.ts';

const framed = (packet: Uint8Array) => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(packet.length);
  return Buffer.concat([length, packet]);
};

test('packets come out as they went in, however the bytes are cut', () => {
  const packets = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 20 });
  const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(packets, cuts, (wanted, sizes) => {
      const bytes = Buffer.concat(wanted.map(framed));
      const splitter = new PacketSplitter();
      const found: string[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        for (const packet of splitter.push(bytes.subarray(at, at + size)))
          found.push(packet.toString('hex'));
        at += size;
      }
      expect(found).toEqual(wanted.map((packet) => Buffer.from(packet).toString('hex')));
    }),
  );
});

test('the largest packet passes; one that is larger, or empty, does not', () => {
  const whole = framed(Buffer.alloc(maxPacketBytes));
  const splitter = new PacketSplitter();
  expect([...splitter.push(whole.subarray(0, 10))]).toEqual([]);
  expect([...splitter.push(whole.subarray(10))].map(({ length }) => length)).toEqual([
    maxPacketBytes,
  ]);
  for (const length of [0, maxPacketBytes + 1, 0xffff_ffff]) {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(length);
    expect(() => [...new PacketSplitter().push(head)]).toThrow(SftpViolation);
    expect(() => {
      const slow = new PacketSplitter();
      for (const byte of head) for (const each of slow.push(Buffer.from([byte]))) void each;
    }).toThrow(SftpViolation);
  }
});
