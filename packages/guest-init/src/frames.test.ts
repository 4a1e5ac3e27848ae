import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFrame, type Frame, FrameLengthError, FrameReader } from './frames.ts';

const frame = fc.record({
  type: fc.integer({ min: 0, max: 255 }),
  id: fc.integer({ min: 0, max: 0xffff_ffff }),
  payload: fc.uint8Array({ maxLength: 200 }),
});

function readAll(reader: FrameReader, chunks: readonly Buffer[]): Frame[] {
  return chunks.flatMap((chunk) => [...reader.read(chunk)]);
}

/** Cuts bytes at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b);
  const edges = [0, ...sorted, bytes.length];
  return edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
}

describe('frames', () => {
  test('any frames come out as they went in, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(frame), fc.array(fc.nat()), (frames, places) => {
        const bytes = Buffer.concat(frames.map((f) => encodeFrame(f.type, f.id, f.payload)));
        const reader = new FrameReader(1024);
        const read = readAll(reader, cut(bytes, places));
        expect(read.map((f) => ({ ...f, payload: new Uint8Array(f.payload) }))).toEqual(frames);
        expect(reader.idle).toBe(true);
      }),
    );
  });

  test('any bytes are either frames within the limit or an error', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), (chunks) => {
        const reader = new FrameReader(128);
        try {
          for (const read of readAll(reader, chunks.map(Buffer.from))) {
            expect(read.payload.length).toBeLessThanOrEqual(128 - 5);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(FrameLengthError);
        }
      }),
    );
  });

  test.each([0, 4, 1025, 0xffff_ffff])('a length of %d is refused at once', (length) => {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(length);
    expect(() => readAll(new FrameReader(1024), [head, Buffer.from([1])])).toThrow(
      FrameLengthError,
    );
  });
});
