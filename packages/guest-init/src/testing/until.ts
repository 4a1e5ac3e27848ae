import { vi } from 'vitest';

/** Waits for a condition for as long as a machine with other work may need. */
export const until = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 15_000 });
