import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { whenRevoked } from './when-revoked.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const request = {} as IncomingMessage;

test('calls back once, soon after the key is no longer known', () => {
  let known = true;
  const revoked = vi.fn();
  using _ = whenRevoked({ isKnown: () => known }, request, revoked);
  vi.advanceTimersByTime(60_000);
  expect(revoked).not.toHaveBeenCalled();
  known = false;
  vi.advanceTimersByTime(60_000);
  expect(revoked).toHaveBeenCalledTimes(1);
});

test('looks no more when the request has ended', () => {
  const isKnown = vi.fn(() => false);
  const revoked = vi.fn();
  whenRevoked({ isKnown }, request, revoked)[Symbol.dispose]();
  vi.advanceTimersByTime(60_000);
  expect(isKnown).not.toHaveBeenCalled();
  expect(revoked).not.toHaveBeenCalled();
});
