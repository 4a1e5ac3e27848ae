import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Limiter } from './limiter.ts';

test('lets only so many run at once, and goes on after failures and aborts', async () => {
  const limiter = new Limiter(3);
  let running = 0;
  let most = 0;
  const abort = new AbortController();
  const tasks = Array.from({ length: 30 }, (_, index) =>
    limiter.run(
      async () => {
        running += 1;
        most = Math.max(most, running);
        await sleep(1);
        running -= 1;
        if (index % 5 === 0) throw new Error('broken');
      },
      index % 7 === 3 ? abort.signal : undefined,
    ),
  );
  abort.abort(new Error('aborted'));
  const outcomes = await Promise.allSettled(tasks);
  expect(most).toBe(3);
  expect(outcomes.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(6);
  await expect(limiter.run(async () => 'free again')).resolves.toBe('free again');
});
