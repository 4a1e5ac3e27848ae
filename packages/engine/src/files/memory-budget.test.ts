import { expect, test } from 'vitest';
import { MemoryBudget } from './memory-budget.ts';

const mebibyte = 1024 * 1024;

test('those that need more than is left wait in their order', async () => {
  const budget = new MemoryBudget(10 * mebibyte);
  const first = await budget.take(8 * mebibyte);
  const order: string[] = [];
  const large = budget.take(9 * mebibyte).then((room) => {
    order.push('large');
    return room;
  });
  const small = budget.take(2 * mebibyte).then((room) => {
    order.push('small');
    return room;
  });
  expect(await budget.take(1000)).toBeDefined();
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  (await large)?.[Symbol.dispose]();
  (await small)?.[Symbol.dispose]();
  expect(order).toEqual(['large', 'small']);
  // All of it is free again, and more than all is as much as all.
  const all = await budget.take(100 * mebibyte);
  expect(all).toBeDefined();
});

test('who gives up waiting lets the next one in', async () => {
  const budget = new MemoryBudget(4 * mebibyte);
  const held = await budget.take(2 * mebibyte);
  const abort = new AbortController();
  const waiting = budget.take(4 * mebibyte, abort.signal);
  const next = budget.take(2 * mebibyte);
  abort.abort();
  expect(await waiting).toBeUndefined();
  expect(await next).toBeDefined();
  expect(await budget.take(4 * mebibyte, AbortSignal.abort())).toBeUndefined();
  held?.[Symbol.dispose]();
});
