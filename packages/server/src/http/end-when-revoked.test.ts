import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { endWhenRevoked } from './end-when-revoked.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A request that lasts, of a key that can be taken back. */
function lasting() {
  const known = new Set(['key']);
  const response = new EventEmitter();
  const destroy = vi.fn();
  const exchange = { request: { socket: { destroy } }, response };
  const keys = { principal: (keyId: string) => (known.has(keyId) ? { keyId } : undefined) };
  endWhenRevoked(
    exchange as unknown as Parameters<typeof endWhenRevoked>[0],
    { keyId: 'key' },
    { keys },
  );
  return { known, response, destroy };
}

test('breaks the connection within ten seconds of the end of the key', () => {
  const { known, destroy } = lasting();
  vi.advanceTimersByTime(60_000);
  expect(destroy).not.toHaveBeenCalled();
  known.clear();
  vi.advanceTimersByTime(10_000);
  expect(destroy).toHaveBeenCalled();
});

test('looks no more when the answer is out', () => {
  const { known, response, destroy } = lasting();
  response.emit('close');
  known.clear();
  vi.advanceTimersByTime(60_000);
  expect(destroy).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});
