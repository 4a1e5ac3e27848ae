import { constants, createInflate, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeaderCompressor, plainHeaders } from '../../testing/spdy-client.ts';
import { HeaderReader, HeaderWriter } from './header-block.ts';
import { headerDictionary, headerDictionaryId } from './header-dictionary.ts';
import { SpdyError } from './spdy-error.ts';

/** Blocks whose zlib stream has begun. */
async function begunReader(): Promise<HeaderReader> {
  const reader = new HeaderReader();
  reader.read(await new HeaderCompressor().compress(plainHeaders({ a: '1' })));
  return reader;
}

const flushed = (plain: Buffer): Buffer =>
  deflateRawSync(plain, { finishFlush: constants.Z_SYNC_FLUSH });

describe('the dictionary', () => {
  it('is the one that zlib streams name', () => {
    let low = 1;
    let high = 0;
    for (const byte of headerDictionary) {
      low = (low + byte) % 65_521;
      high = (high + low) % 65_521;
    }
    expect(high * 65_536 + low).toBe(headerDictionaryId);
    expect(headerDictionary).toHaveLength(1423);
  });
});

describe('HeaderReader', () => {
  it('reads blocks that refer to earlier ones, across more than a window', async () => {
    const compressor = new HeaderCompressor();
    const reader = new HeaderReader();
    const filler = (round: number) =>
      Array.from({ length: 900 }, (_, index) => `${round * 7919 + index * 104_729}`).join(',');
    for (let round = 0; round < 20; round++) {
      const headers = { streamtype: 'data', port: '8888', requestid: `${round}`, x: filler(round) };
      const block = await compressor.compress(plainHeaders(headers));
      expect(Object.fromEntries(reader.read(block))).toEqual(headers);
    }
  });

  it('refuses a block that inflates to more than the limit, without inflating it', async () => {
    const bomb = flushed(Buffer.alloc(60 * 2 ** 20));
    expect(bomb.length).toBeLessThan(64 * 1024);
    const reader = await begunReader();
    const before = process.memoryUsage().rss;
    for (let time = 0; time < 20; time++) expect(() => reader.read(bomb)).toThrow(SpdyError);
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 2 ** 20);
  });

  it.each([
    ['too many headers', Buffer.from([0, 0, 1, 0])],
    ['a count that nothing follows', Buffer.from([0, 0, 0, 9])],
    ['a length beyond the block', Buffer.from([0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 1])],
    ['a header without a name', plainHeaders({ '': 'x' })],
    ['nothing', Buffer.alloc(0)],
  ])('refuses %s', async (_what, plain) => {
    const reader = await begunReader();
    expect(() => reader.read(flushed(plain))).toThrow(SpdyError);
  });

  it('throws nothing else for any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, begun) => {
        const reader = begun ? await begunReader() : new HeaderReader();
        try {
          reader.read(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(SpdyError);
        }
      }),
    );
  });
});

describe('HeaderWriter', () => {
  it('writes one zlib stream', async () => {
    const writer = new HeaderWriter();
    const headers = [{ a: '1', b: 'two' }, {}, { a: 'ä' }];
    const inflate = createInflate({ dictionary: headerDictionary });
    const parts: Buffer[] = [];
    inflate.on('data', (part: Buffer) => parts.push(part));
    for (const each of headers) inflate.write(writer.write(new Map(Object.entries(each))));
    const whole = Buffer.concat(headers.map(plainHeaders));
    await expect.poll(() => Buffer.concat(parts).equals(whole)).toBe(true);
  });
});
