import { runProgram } from '@sandport/linux';

/**
 * Resolves when everything of the file systems of these directories is on the disk. A process of its own waits
 * for it: the disk can take seconds.
 */
export async function syncFiles(...directories: readonly string[]): Promise<void> {
  try {
    await runProgram('sync', ['--file-system', '--', ...directories]);
  } catch (cause) {
    throw new Error(`the disk of ${directories[0]} takes no more bytes`, { cause });
  }
}
