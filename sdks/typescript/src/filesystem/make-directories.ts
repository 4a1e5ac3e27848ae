import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from '../errors/client-errors.ts';

/**
 * Makes a local directory and those above it that are missing. Node's own recursive `mkdir` never
 * returns below a directory that takes no entries and says so with ENOENT, as /proc does.
 * @param path absolute
 * @throws what the system reports
 */
export function makeDirectories(path: string): void {
  if (isThere(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectories(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (errnoOf(error) !== 'EEXIST' || !isThere(path)) throw error;
  }
}

const isThere = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
