import { linkSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Gives the files of a memory image, which never change, a second name each in a directory that is
 * made. Both are trusted directories on one file system.
 */
export function linkImage(from: string, to: string): void {
  mkdirSync(to, { mode: 0o700 });
  for (const name of readdirSync(from)) linkSync(join(from, name), join(to, name));
}

/** What an image takes on the disk. */
export function imageBytes(directory: string): number {
  return readdirSync(directory)
    .map((name) => lstatSync(join(directory, name)).blocks * 512)
    .reduce((sum, bytes) => sum + bytes, 0);
}
