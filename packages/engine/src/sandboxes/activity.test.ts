import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Activity } from './activity.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a sandbox is idle since the last thing that was done with it ended', () => {
  const activity = new Activity(new Date(Date.now() - 5_000));
  expect(activity.idleMs).toBe(5_000);
  const [first, second] = [activity.begin(), activity.begin()];
  vi.advanceTimersByTime(1_000);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  vi.advanceTimersByTime(1_000);
  expect(activity.idleMs).toBe(0);
  expect(activity.last).toEqual(new Date());
  second[Symbol.dispose]();
  vi.advanceTimersByTime(700);
  expect(activity.idleMs).toBe(700);
  activity.touch();
  expect(activity.idleMs).toBe(0);
});

test('a change of the machine’s time neither idles a sandbox nor keeps it', () => {
  const activity = new Activity(new Date(Date.now() + 3_600_000));
  expect(activity.idleMs).toBe(0);
  vi.advanceTimersByTime(1_000);
  vi.setSystemTime(Date.now() + 86_400_000);
  expect(activity.idleMs).toBe(1_000);
  expect(activity.last).toEqual(new Date(Date.now() - 1_000));
  vi.setSystemTime(Date.now() - 2 * 86_400_000);
  expect(activity.idleMs).toBe(1_000);
});

test('a transfer that stands still is no use', () => {
  const activity = new Activity(new Date());
  let bytes = 0;
  using transfer = activity.begin(() => bytes);
  vi.advanceTimersByTime(1_000);
  expect(activity.idleMs).toBe(0);
  vi.advanceTimersByTime(1_000);
  expect(activity.idleMs).toBe(1_000);
  bytes += 1;
  expect(activity.idleMs).toBe(0);
  vi.advanceTimersByTime(2_000);
  expect(activity.idleMs).toBe(2_000);
  transfer[Symbol.dispose]();
  expect(activity.idleMs).toBe(0);
});
