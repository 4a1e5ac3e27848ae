import type { TreeResult } from 'sandport';

/** What was copied. */
export type CopyCounts = Omit<TreeResult, 'path'>;

export const nothingCopied: CopyCounts = {
  files: 0,
  directories: 0,
  symlinks: 0,
  hardLinks: 0,
  bytes: 0,
  skipped: [],
  skippedCount: 0,
};

/** Counts of one file. */
export const oneFile = (bytes: number): CopyCounts => ({ ...nothingCopied, files: 1, bytes });

export function addCounts(one: CopyCounts, other: CopyCounts): CopyCounts {
  return {
    files: one.files + other.files,
    directories: one.directories + other.directories,
    symlinks: one.symlinks + other.symlinks,
    hardLinks: one.hardLinks + other.hardLinks,
    bytes: one.bytes + other.bytes,
    skipped: [...one.skipped, ...other.skipped],
    skippedCount: one.skippedCount + other.skippedCount,
  };
}
