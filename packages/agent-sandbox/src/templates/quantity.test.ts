import { expect, test } from 'vitest';
import { parseQuantity } from './quantity.ts';

test.each([
  ['500m', 0.5],
  ['1.5Gi', 1.5 * 2 ** 30],
  ['128974848', 128_974_848],
  ['129e6', 129_000_000],
  ['1E3', 1000],
  ['2E', 2e18],
  ['.5', 0.5],
  ['100k', 100_000],
  [2, 2],
])('%j is %d', (text, value) => {
  expect(parseQuantity(text)).toBeCloseTo(value);
});

test.each(['', 'x', '1x', '1 Gi', 'Gi', '1e999999', '0x10', 'NaN', 'Infinity', 'constructor'])(
  '%j is none',
  (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  },
);

test('nothing is none', () => {
  expect(parseQuantity(undefined)).toBeUndefined();
  expect(parseQuantity(Number.NaN)).toBeUndefined();
});
