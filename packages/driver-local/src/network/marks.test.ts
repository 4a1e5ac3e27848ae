import { expect, test } from 'vitest';
import { newMark, nextMark } from './marks.ts';

test('every policy has a mark of its own, with the same beginning until they are used up', () => {
  const marks = [newMark()];
  while (marks.length < 256) marks.push(nextMark(marks.at(-1) ?? 0));
  expect(new Set(marks).size).toBe(256);
  expect(new Set(marks.map((mark) => mark >> 8)).size).toBe(1);
  for (const mark of marks) expect(mark).toBeGreaterThan(0);
  expect(nextMark(marks.at(-1) ?? 0) % 256).toBe(0);
});
