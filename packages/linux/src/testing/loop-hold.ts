import { setTimeout } from 'node:timers/promises';

/** How long a timer is late at most while `operation` runs, in milliseconds: others wait as long. */
export async function longestHoldMs(operation: () => Promise<unknown>): Promise<number> {
  const intervalMs = 5;
  let last = performance.now();
  let longest = 0;
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last - intervalMs);
    last = now;
  };
  const timer = setInterval(look, intervalMs);
  try {
    await operation();
    // One that held on until its end shows only with the next turn.
    await setTimeout(2 * intervalMs);
  } finally {
    clearInterval(timer);
  }
  return longest;
}
