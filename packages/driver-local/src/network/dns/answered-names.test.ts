import { expect, test } from 'vitest';
import { AnsweredNames } from './answered-names.ts';

test('remembers the last name of an address, of each sandbox for itself', () => {
  const names = new AnsweredNames();
  names.remember('198.18.0.2', '203.0.113.5', 'a.test');
  names.remember('198.18.0.2', '203.0.113.5', 'b.test');
  names.remember('198.18.0.3', '203.0.113.6', 'c.test');
  expect(names.nameOf('198.18.0.2', '203.0.113.5')).toBe('b.test');
  expect(names.nameOf('198.18.0.2', '203.0.113.6')).toBeUndefined();
  names.forget('198.18.0.2');
  expect(names.nameOf('198.18.0.2', '203.0.113.5')).toBeUndefined();
});

test('forgets the oldest of very many', () => {
  const names = new AnsweredNames();
  const address = (at: number) => `203.0.${at >> 8}.${at & 255}`;
  for (let at = 0; at < 2000; at++) names.remember('198.18.0.2', address(at), `${at}.test`);
  expect(names.nameOf('198.18.0.2', address(1999))).toBe('1999.test');
  expect(names.nameOf('198.18.0.2', address(0))).toBeUndefined();
  const kept = Array.from({ length: 2000 }, (_, at) => names.nameOf('198.18.0.2', address(at)));
  expect(kept.filter((name) => name !== undefined)).toHaveLength(1024);
});
