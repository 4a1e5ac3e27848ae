import type { SearchResult } from 'sandport';
import { printNote } from './print.ts';

/** Tells of files that could hold the text and were not looked at; binary ones cannot. */
export function noteLeftOut(skipped: SearchResult['filesSkipped'], limitMib: number): void {
  const { tooLarge, unreadable } = skipped;
  const files = (count: number) => `sandport: left out ${count} ${count === 1 ? 'file' : 'files'}`;
  if (tooLarge > 0) printNote(`${files(tooLarge)} over ${limitMib} MiB, or with overlong lines`);
  if (unreadable > 0) printNote(`${files(unreadable)} that cannot be read`);
}
