import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { controlFrame, numbers } from '../../testing/spdy-client.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { dataHead, pingFrame } from './frames.ts';
import { SpdyError } from './spdy-error.ts';

/** What a decoder handed on, with neighbouring pieces of data as one. */
function decode(chunks: readonly Buffer[]): string[] {
  const seen: string[] = [];
  const decoder = new FrameDecoder({
    control: (type, flags, payload) => seen.push(`c ${type} ${flags} ${payload.toString('hex')}`),
    data: (id, bytes) => {
      const last = seen.at(-1);
      if (last?.startsWith(`d ${id} `)) seen[seen.length - 1] = last + bytes.toString('hex');
      else seen.push(`d ${id} ${bytes.toString('hex')}`);
    },
    dataEnd: (id) => seen.push(`e ${id}`),
  });
  for (const chunk of chunks) decoder.push(chunk);
  return seen;
}

function split(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const parts: Buffer[] = [];
  let at = 0;
  for (const length of lengths) {
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return [...parts, bytes.subarray(at)];
}

const dataFrame = (id: number, bytes: Uint8Array, fin: boolean): Buffer =>
  Buffer.concat([dataHead(id, bytes.length, fin), bytes]);

const frame = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.uint8Array({ maxLength: 40 }), fc.boolean())
    .map(([id, bytes, fin]) => dataFrame(id, bytes, fin)),
  fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.uint8Array({ maxLength: 40 }))
    .map(([type, bytes]) => controlFrame(type, Buffer.from(bytes), 1)),
);

describe('FrameDecoder', () => {
  it('sees the same frames however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 8 }),
        fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }),
        (frames, lengths) => {
          const bytes = Buffer.concat(frames);
          expect(decode(split(bytes, lengths))).toEqual(decode([bytes]));
        },
      ),
    );
  });

  it('hands on data of a frame of any length as it comes', () => {
    const head = dataHead(1, 2 ** 24 - 1, true);
    expect(decode([head, Buffer.from('ab'), Buffer.from('c')])).toEqual(['d 1 616263']);
  });

  it('tells the end of a stream after its data', () => {
    const bytes = Buffer.concat([dataFrame(3, Buffer.from('x'), true), dataHead(5, 0, true)]);
    expect(decode([bytes])).toEqual(['d 3 78', 'e 3', 'e 5']);
  });

  it('refuses a control frame that is too large, before it has come', () => {
    const head = controlFrame(1, Buffer.alloc(70_000)).subarray(0, 8);
    expect(() => decode([head])).toThrow(SpdyError);
  });

  it('refuses other versions', () => {
    const ping = pingFrame(1);
    ping.writeUInt16BE(0x8002);
    expect(() => decode([ping])).toThrow(SpdyError);
  });

  it('hands nothing on after it was stopped', () => {
    let count = 0;
    const decoder = new FrameDecoder({
      control: () => {
        count += 1;
        decoder.stop();
      },
      data: () => {},
      dataEnd: () => {},
    });
    decoder.push(Buffer.concat([pingFrame(1), pingFrame(3), controlFrame(9, numbers(1, 1))]));
    expect(count).toBe(1);
  });

  it('throws nothing else for any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 10 }), (chunks) => {
        try {
          decode(chunks.map((chunk) => Buffer.from(chunk)));
        } catch (error) {
          expect(error).toBeInstanceOf(SpdyError);
        }
      }),
    );
  });
});
