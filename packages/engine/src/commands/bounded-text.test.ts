import { expect, test } from 'vitest';
import { BoundedText } from './bounded-text.ts';

test('is what came, up to its limit, in pieces of any size', () => {
  const pieces = Array.from({ length: 5000 }, (_, at) =>
    Buffer.from(`${at}|`.repeat(at % 1500 === 7 ? 2000 : 1)),
  );
  const whole = Buffer.concat(pieces).toString();
  const text = new BoundedText(whole.length);
  for (const piece of pieces) text.add(piece);
  expect(text.text()).toBe(whole);
  expect(text.truncated).toBe(false);
  const cut = new BoundedText(whole.length - 1);
  for (const piece of pieces) cut.add(piece);
  expect(cut.text()).toBe(whole.slice(0, -1));
  expect(cut.truncated).toBe(true);
});
