import { once } from 'node:events';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { WaitingRoom } from './waiting-room.ts';

test('the oldest makes room for the next', () => {
  const room = new WaitingRoom({ maxWaiting: 2 });
  const [first, second, third] = [new Socket(), new Socket(), new Socket()];
  for (const each of [first, second, third]) room.enter(each);
  expect([first, second, third].map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
  room.leave(second);
  room.enter(new Socket());
  expect([second, third].map(({ destroyed }) => destroyed)).toEqual([false, false]);
});

test('who does not log in in time is sent away', async () => {
  const room = new WaitingRoom({ timeoutMs: 1 });
  const [late, done] = [new Socket(), new Socket()];
  room.enter(late);
  room.enter(done);
  room.leave(done);
  await once(late, 'close');
  expect([late.destroyed, done.destroyed, room.size]).toEqual([true, false, 0]);
});
