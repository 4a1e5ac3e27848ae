import { expect, test } from 'vitest';
import { parseModeText, parseTimeText } from './parse-text.ts';

test.each([
  ['0', 0n],
  ['1700000000.25', 1_700_000_000_250_000_000n],
  ['5.000000001', 5_000_000_001n],
  ['-1', -1_000_000_000n],
  ['-0.5', -500_000_000n],
  ['-1.000000001', -1_000_000_001n],
])('%s seconds', (text, timeNs) => {
  expect(parseTimeText(text)).toBe(timeNs);
});

test.each([
  ['644', 0o644],
  ['0644', 0o644],
  ['4755', 0o4755],
])('mode %s', (text, mode) => {
  expect(parseModeText(text)).toBe(mode);
});
