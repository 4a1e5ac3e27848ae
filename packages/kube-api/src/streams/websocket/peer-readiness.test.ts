import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { peerReadiness } from './peer-readiness.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A client, and whether it has been found to read. */
function client() {
  const socket = Object.assign(new EventEmitter(), { ping: vi.fn() });
  const ready = vi.fn();
  void peerReadiness(socket as unknown as WebSocket).then(ready);
  return { socket, ready };
}

test.each(['pong', 'message', 'close'])('a client reads soon after: %s', async (sign) => {
  const { socket, ready } = client();
  expect(socket.ping).toHaveBeenCalledOnce();
  await vi.advanceTimersByTimeAsync(900);
  expect(ready).not.toHaveBeenCalled();
  socket.emit(sign);
  await vi.advanceTimersByTimeAsync(20);
  expect(ready).toHaveBeenCalledOnce();
  expect(vi.getTimerCount()).toBe(0);
});

test('a client that answers nothing is not waited for any longer', async () => {
  const { ready } = client();
  await vi.advanceTimersByTimeAsync(1_100);
  expect(ready).toHaveBeenCalledOnce();
});
