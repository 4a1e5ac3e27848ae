import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Reaper } from './reaper.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('expires each time when it comes, in order, also one far away', () => {
  const day = 86_400_000;
  const times = [5_000, 1_000, 4 * day].map((afterMs) => Date.now() + afterMs);
  const expired: number[] = [];
  const next = () => {
    const left = times.filter((at) => !expired.includes(at)).sort((a, b) => a - b);
    return left[0] === undefined ? undefined : new Date(left[0]);
  };
  using reaper = new Reaper(next, () => {
    for (const at of times) if (at <= Date.now() && !expired.includes(at)) expired.push(at);
  });
  reaper.reschedule();
  vi.advanceTimersByTime(999);
  expect(expired).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(expired).toEqual([times[1]]);
  vi.advanceTimersByTime(4_000);
  expect(expired).toEqual([times[1], times[0]]);
  vi.advanceTimersByTime(5 * day);
  expect(expired).toEqual([times[1], times[0], times[2]]);
});
