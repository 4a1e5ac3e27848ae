import { afterEach, expect, test, vi } from 'vitest';
import { SocketQueue } from './socket-queue.ts';

afterEach(() => vi.useRealTimers());

/** A socket that writes down what is done to it. */
function fakeSocket() {
  const done: string[] = [];
  const note = (what: string) => () => void done.push(what);
  return { done, pause: note('pause'), resume: note('resume'), pong: note('pong') };
}

test('a slow reader holds the sender, and still gives signs of life', async () => {
  vi.useFakeTimers();
  const socket = fakeSocket();
  const queue = new SocketQueue(socket);
  const piece = Buffer.alloc(300 * 1024);
  for (let count = 0; count < 4; count++) queue.push(piece);
  expect(socket.done).toEqual(['pause']);
  expect(queue.paused).toBe(true);
  vi.advanceTimersByTime(25_000);
  expect(socket.done).toEqual(['pause', 'pong', 'pong']);
  await queue.take();
  await queue.take();
  expect(queue.paused).toBe(true);
  await queue.take();
  await queue.take();
  expect(socket.done).toEqual(['pause', 'pong', 'pong', 'resume']);
  vi.advanceTimersByTime(60_000);
  expect(socket.done.at(-1)).toBe('resume');
});

test('what waits can be taken behind the end, and then nothing', async () => {
  const queue = new SocketQueue(fakeSocket());
  const first = queue.take();
  queue.push('a');
  queue.push(Buffer.from('b'));
  queue.end();
  expect(await first).toBe('a');
  expect(await queue.take()).toEqual(Buffer.from('b'));
  expect(await queue.take()).toBe(undefined);
});
