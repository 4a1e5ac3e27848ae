import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BodyLine, LineSplitter, type SplitLine } from './line-splitter.ts';

const mebibyte = 1024 * 1024;

class Rooms {
  taken = 0;
  max = 0;
  readonly #available: number;

  constructor(available: number) {
    this.#available = available;
  }

  readonly take = async (): Promise<Disposable | undefined> => {
    if (this.taken >= this.#available) return undefined;
    this.taken += 1;
    this.max = Math.max(this.max, this.taken);
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (isTaken) this.taken -= 1;
        isTaken = false;
      },
    };
  };
}

async function split(
  chunks: readonly Buffer[],
  rooms = new Rooms(1),
  maxLineBytes = 8 * mebibyte,
): Promise<BodyLine[]> {
  const splitter = new LineSplitter({ maxLineBytes, takeRoom: rooms.take });
  const lines: BodyLine[] = [];
  for await (const each of Readable.from(chunks).pipe(splitter)) {
    const { line, room }: SplitLine = each;
    lines.push(line);
    room?.[Symbol.dispose]();
  }
  expect(rooms.taken).toBe(0);
  return lines;
}

const texts = (lines: readonly BodyLine[]) =>
  lines.map((line) => ('refused' in line ? line.refused : line.bytes.toString()));

test('lines are the same however the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('', 'a', ' ', '\t', 'é', 'text')),
      fc.infiniteStream(fc.integer({ min: 1, max: 5 })),
      async (parts, sizes) => {
        const bytes = Buffer.from(parts.join('\n'));
        const chunks: Buffer[] = [];
        for (let at = 0; at < bytes.length; ) {
          const size = sizes.next().value ?? 1;
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        const numbered = parts.map((text, index) => ({ number: index + 1, text }));
        const lines = await split(chunks);
        expect(lines.map((line) => ({ number: line.number, text: texts([line])[0] }))).toEqual(
          numbered.filter(({ text }) => text.trim() !== ''),
        );
      },
    ),
  );
});

describe('long lines', () => {
  test('byte by byte', async () => {
    const bytes = Array.from({ length: 5_000 }, (_, at) => Buffer.from([0x61 + (at % 26)]));
    expect(texts(await split(bytes))).toEqual([Buffer.concat(bytes).toString()]);
  });

  test('one that is too long is refused alone, and is not kept', async () => {
    const chunks = [
      Buffer.from('a\n'),
      ...Array.from({ length: 64 }, () => Buffer.alloc(65_536, 'x')),
    ];
    const lines = await split([...chunks, Buffer.from('\nb')], new Rooms(1), mebibyte * 2);
    expect(texts(lines)).toEqual(['a', 'too_long', 'b']);
  });

  test('take room one after the other, and are refused when there is none', async () => {
    const long = Buffer.concat([Buffer.alloc(2 * mebibyte, 'x'), Buffer.from('\n')]);
    const chunks = [long, long, Buffer.from('short\n')].flatMap((bytes) =>
      Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, at) =>
        bytes.subarray(at * 65_536, (at + 1) * 65_536),
      ),
    );
    const rooms = new Rooms(5);
    expect((await split(chunks, rooms)).map((line) => 'bytes' in line)).toEqual([true, true, true]);
    expect(rooms.max).toBeGreaterThan(0);
    expect(texts(await split(chunks, new Rooms(0)))).toEqual(['no_room', 'no_room', 'short']);
  });

  test('give their room back when nobody reads on', async () => {
    const rooms = new Rooms(5);
    const splitter = new LineSplitter({ maxLineBytes: 8 * mebibyte, takeRoom: rooms.take });
    splitter.write(Buffer.alloc(2 * mebibyte, 'x'));
    await expect.poll(() => rooms.taken).toBe(1);
    splitter.destroy();
    await expect.poll(() => rooms.taken).toBe(0);
  });
});
