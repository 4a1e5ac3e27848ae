import { expect, test } from 'vitest';
import { interleave, median, percentile } from './statistics.ts';

test('percentiles are values that were measured', () => {
  expect(median([5, 1, 3])).toBe(3);
  expect(median([4, 1, 2, 3])).toBe(2);
  expect(percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.9)).toBe(9);
  expect(() => median([])).toThrow(RangeError);
});

test('contenders take turns in alternating order, and warm-ups do not count', async () => {
  const order: string[] = [];
  const contender = (name: string) => ({
    name,
    run: async () => {
      order.push(name);
      return order.length;
    },
  });
  const values = await interleave([contender('a'), contender('b')], { warmUps: 1, rounds: 2 });
  expect(order).toEqual(['b', 'a', 'a', 'b', 'b', 'a']);
  expect(values).toEqual(
    new Map([
      ['a', [3, 6]],
      ['b', [4, 5]],
    ]),
  );
});
