import type { SkippedEntry } from 'sandport';
import { printNote } from './print.ts';

/** Entries that are named; the rest is counted. */
const mostNamed = 10;

/** Says on standard error what a transfer left out, and why. */
export function noteSkipped(result: {
  readonly skipped: readonly SkippedEntry[];
  readonly skippedCount?: number;
}): void {
  const { skipped, skippedCount = skipped.length } = result;
  const named = skipped.slice(0, mostNamed);
  for (const { path, reason } of named) printNote(`sandport: left out ${path}: ${reason}`);
  const more = skippedCount - named.length;
  if (more > 0) printNote(`sandport: left out ${more} more; --json names them`);
}
