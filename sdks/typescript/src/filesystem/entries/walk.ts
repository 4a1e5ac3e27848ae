import { NotFoundError } from '../../errors/api-errors.ts';
import type { FileInfo } from './file-info.ts';

/** One directory of a walk. */
export interface WalkStep {
  /** Absolute path of the directory. */
  readonly dir: string;
  /** Directories in it, visited next; removing some from the array leaves them out. */
  readonly dirs: FileInfo[];
  /** Everything else in it. */
  readonly files: FileInfo[];
}

/**
 * Lists a directory and those below it, top-down. A directory that vanishes during the walk is
 * left out; the first one must exist.
 */
export async function* walk(
  list: (path: string) => Promise<FileInfo[]>,
  root: string,
): AsyncGenerator<WalkStep, void, undefined> {
  const waiting = [root];
  for (let dir = waiting.pop(); dir !== undefined; dir = waiting.pop()) {
    let entries: FileInfo[];
    try {
      entries = await list(dir);
    } catch (error) {
      if (dir !== root && error instanceof NotFoundError && error.code === 'file_not_found')
        continue;
      throw error;
    }
    const step: WalkStep = {
      dir,
      dirs: entries.filter((entry) => entry.isDirectory),
      files: entries.filter((entry) => !entry.isDirectory),
    };
    yield step;
    for (const entry of step.dirs.toReversed()) {
      // A name that is not UTF-8 can be listed, not opened.
      if (entry.nameBase64 === undefined) waiting.push(entry.path);
    }
  }
}
