import { expect, test } from 'vitest';
import { preconditionOf } from './precondition.ts';
import { timeNsOf } from './time-text.ts';

test.each([
  [{ ifMatch: '"a"' }, true, false, false],
  [{ ifMatch: '"b", W/"a"' }, true, true, false],
  [{ ifMatch: '*' }, true, true, false],
  [{ ifNoneMatch: '*' }, false, false, true],
  [{ ifNoneMatch: '"a"' }, false, true, true],
  [{ ifMatch: '*', ifNoneMatch: '"b"' }, true, false, false],
  [{ ifMatch: '' }, false, false, false],
])('%j of "a", of "b", of nothing', (fields, a, b, nothing) => {
  const holds = preconditionOf(fields);
  expect([holds?.('"a"'), holds?.('"b"'), holds?.(undefined)]).toEqual([a, b, nothing]);
});

test('without fields there is no condition', () => {
  expect(preconditionOf({})).toBeUndefined();
});

test.each([
  ['1700000000', 1_700_000_000_000_000_000n],
  ['1700000000.25', 1_700_000_000_250_000_000n],
  ['0.000000001', 1n],
  ['-1.5', -1_500_000_000n],
  ['-0.5', -500_000_000n],
])('%s seconds', (text, ns) => {
  expect(timeNsOf(text)).toBe(ns);
});
