import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { clientListens } from './client-listens.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A client, and whether it has been found to listen. */
function client() {
  const socket = Object.assign(new EventEmitter(), { ping: vi.fn() });
  const listens = vi.fn();
  void clientListens(socket as unknown as WebSocket).then(listens);
  return { socket, listens };
}

test.each(['pong', 'message', 'close'])('a client listens after: %s', async (sign) => {
  const { socket, listens } = client();
  expect(socket.ping).toHaveBeenCalledOnce();
  await vi.advanceTimersByTimeAsync(900);
  expect(listens).not.toHaveBeenCalled();
  socket.emit(sign);
  await vi.advanceTimersByTimeAsync(0);
  expect(listens).toHaveBeenCalledOnce();
  expect(vi.getTimerCount()).toBe(0);
});

test('a client that answers nothing is not waited for any longer', async () => {
  const { listens } = client();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(listens).toHaveBeenCalledOnce();
});
