import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameScanner } from './frame-scanner.ts';

const mark = 'm'.repeat(32);
const frame = (content: object) => Buffer.from(`\0${mark}${JSON.stringify(content)}\0`);

/** Cuts bytes into chunks of these sizes, again and again. */
function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const limitBytes = 4096;

/** Joins what a scanner gave: text as it was, frames as their types. */
function scan(bytes: Buffer, sizes: readonly number[]) {
  const scanner = new FrameScanner(mark, () => limitBytes);
  const seen: (Buffer | string)[] = [];
  for (const chunk of cut(bytes, sizes))
    for (const each of scanner.add(chunk)) {
      const last = seen.at(-1);
      if (each.type === 'frame') seen.push(each.frame.type);
      else if (each.type === 'dropped') seen.push('dropped');
      else if (Buffer.isBuffer(last)) seen[seen.length - 1] = Buffer.concat([last, each.bytes]);
      else seen.push(Buffer.from(each.bytes));
    }
  return seen;
}

test('frames are taken out of bytes, however they are cut', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
  // Not ending in what may be the beginning of a mark.
  const junk = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => [...bytes, 0x78]);
  fc.assert(
    fc.property(junk, junk, sizes, (before, after, pieces) => {
      const bytes = Buffer.concat([
        Buffer.from(before),
        frame({ type: 'ready' }),
        frame({ type: 'end', run: '1', exit: 0 }),
        Buffer.from(after),
      ]);
      const given = [Buffer.from(before), 'ready', 'end', Buffer.from(after)];
      expect(scan(bytes, pieces)).toEqual(given);
    }),
  );
});

test('a beginning that is none is handed on', () => {
  const near = Buffer.concat([Buffer.from(`\0${mark.slice(1)}x`), Buffer.from('\0\0\0y')]);
  expect(Buffer.concat(scan(near, [3]).filter((each) => Buffer.isBuffer(each)))).toEqual(near);
});

test('what is no frame of the protocol is refused', () => {
  const hostile = [
    '{',
    '[]',
    '{"type":"other"}',
    '{"type":"end","run":"1","exit":256}',
    '{"type":"end","run":"1","exit":"0"}',
    '{"type":"result","data":{"text/plain":7}}',
    '{"type":"error","name":"x","value":"y","traceback":"z"}',
    `{"type":"begin","run":"${'9'.repeat(65)}"}`,
  ];
  for (const text of hostile)
    expect(() => scan(Buffer.from(`\0${mark}${text}\0`), [7]), text).toThrow();
});

test('a frame that is too long is dropped, and what follows is not', () => {
  const long = frame({ type: 'result', data: { 'text/plain': 'x'.repeat(limitBytes) } });
  const bytes = Buffer.concat([Buffer.from('a'), long, frame({ type: 'ready' }), Buffer.from('b')]);
  for (const sizes of [[bytes.length], [7], [1]])
    expect(scan(bytes, sizes)).toEqual([Buffer.from('a'), 'dropped', 'ready', Buffer.from('b')]);
});

test('while none may come, nothing of a frame is looked at or kept', () => {
  const scanner = new FrameScanner(mark, () => 0);
  const given = [...scanner.add(Buffer.from(`\0${mark}`))];
  for (let count = 0; count < 1000; count++) given.push(...scanner.add(Buffer.alloc(10_000, '{')));
  expect(given).toEqual([]);
  const rest = [...scanner.add(Buffer.from('\0after'))];
  expect(rest).toEqual([{ type: 'dropped' }, { type: 'bytes', bytes: Buffer.from('after') }]);
});
