import { expect, test } from 'vitest';
import { PacketSplitter } from './packet-splitter.ts';

test('packets in pieces stay good for as long as they are to be kept', () => {
  const splitter = new PacketSplitter(2);
  const kept: Buffer[] = [];
  for (let value = 1; value <= 9; value++) {
    const bytes = Buffer.concat([Buffer.from([0, 0, 0, 8]), Buffer.alloc(8, value)]);
    for (const piece of [bytes.subarray(0, 7), bytes.subarray(7)])
      for (const packet of splitter.push(piece)) kept.push(packet);
    const last = kept.slice(-3);
    const first = value - last.length + 1;
    last.forEach((packet, index) => expect(packet).toEqual(Buffer.alloc(8, first + index)));
  }
  expect(kept).toHaveLength(9);
});
