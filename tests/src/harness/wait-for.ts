import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitForOptions {
  /** @default 10_000 */
  readonly timeoutMs?: number;
  /** Pause between two looks. @default 20 */
  readonly intervalMs?: number;
  /** For the message when it does not come. @default 'the condition' */
  readonly what?: string;
}

/**
 * Looks until `look` gives something other than undefined or false, and resolves to it.
 * @throws Error when it does not come in time
 */
export async function waitFor<Found>(
  look: () => Found | undefined | false | Promise<Found | undefined | false>,
  options: WaitForOptions = {},
): Promise<Found> {
  const { timeoutMs = 10_000, intervalMs = 20, what = 'the condition' } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`${what} did not come in ${timeoutMs} ms`);
    await sleep(intervalMs);
  }
}
