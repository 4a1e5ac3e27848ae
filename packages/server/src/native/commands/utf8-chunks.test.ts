import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Utf8Chunks } from './utf8-chunks.ts';

test('no byte is lost and no character is torn, however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat(7)), (text, cuts) => {
      const bytes = Buffer.from(text);
      const chunks = new Utf8Chunks();
      const out: Buffer[] = [];
      let at = 0;
      for (const length of cuts) {
        out.push(chunks.add(bytes.subarray(at, at + length)));
        at = Math.min(at + length, bytes.length);
      }
      out.push(chunks.add(bytes.subarray(at)), chunks.rest());
      expect(Buffer.concat(out).equals(bytes)).toBe(true);
      expect(out.map((each) => each.toString()).join('')).toBe(text);
    }),
  );
});

test('bytes that are not UTF-8 come through as they are', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 9 })), (parts) => {
      const chunks = new Utf8Chunks();
      const out = [...parts.map((part) => chunks.add(Buffer.from(part))), chunks.rest()];
      expect(Buffer.concat(out)).toEqual(Buffer.concat(parts));
    }),
  );
});
