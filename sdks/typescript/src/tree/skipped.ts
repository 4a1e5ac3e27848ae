import type { SkippedEntry } from './tree-options.ts';

const maxListed = 1000;

/** Entries that were left out: all counted, the first ones listed. */
export class SkippedEntries {
  readonly listed: SkippedEntry[] = [];
  count = 0;

  add(path: string, reason: string): void {
    this.count += 1;
    if (this.listed.length < maxListed) this.listed.push({ path, reason });
  }
}
