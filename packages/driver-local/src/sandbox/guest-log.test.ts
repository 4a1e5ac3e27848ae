import { expect, test } from 'vitest';
import { guestLog } from './guest-log.ts';

test('a sandbox cannot flood the log', () => {
  const lines: string[] = [];
  const say = guestLog(
    (_level, _message, fields) => void lines.push(String(fields?.['text'])),
    'x',
  );
  for (let i = 0; i < 1000; i++) say('y'.repeat(10_000));
  expect(lines).toHaveLength(20);
  expect(Math.max(...lines.map((line) => line.length))).toBe(500);
});
