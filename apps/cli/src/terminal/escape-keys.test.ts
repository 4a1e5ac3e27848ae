import { expect, test } from 'vitest';
import { EscapeKeys } from './escape-keys.ts';

/** Presses these keys in pieces; `left` marks where the terminal is left. */
function press(...pieces: string[]): string {
  const keys = new EscapeKeys();
  let text = '';
  for (const piece of pieces) {
    const { bytes, left } = keys.take(Buffer.from(piece));
    text += Buffer.from(bytes).toString();
    if (left) return `${text}<left>`;
  }
  return text;
}

test.each([
  [['ls\r', '~.', 'more'], 'ls\r<left>'],
  [['~', '.'], '<left>'],
  [['x~.'], 'x~.'],
  [['~~.'], '~.'],
  [['~~'], '~'],
  [['~x\r~', '~\r', '~.'], '~x\r~\r<left>'],
  [['a\n~b'], 'a\n~b'],
  [['€\r'], '€\r'],
])('%j gives %j', (pieces, expected) => {
  expect(press(...pieces)).toBe(expected);
});
