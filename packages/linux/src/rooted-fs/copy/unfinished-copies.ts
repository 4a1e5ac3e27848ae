import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ByteString, byteString } from '../../ffi/byte-string.ts';
import { errnoOf } from '../../ffi/system-error.ts';
import { removePath } from '../remove/remove-path.ts';
import type { RootDirectory } from '../paths/root-directory.ts';
import { rootedFsErrorOf } from '../rooted-fs-error.ts';
import { splitPath } from '../paths/guest-path.ts';
import { isTemporaryName } from '../write/temporary-file.ts';

/**
 * Remembers in a directory of the host which copies of directories are under way, so that a later
 * process can remove what is left of those that were cut off. Nothing is kept without a directory.
 */
export class UnfinishedCopies {
  readonly #directory: string | undefined;

  /** @param directory trusted path; made when it is needed */
  constructor(directory: string | undefined) {
    this.#directory = directory;
  }

  /** @param path normal path inside the root whose last name is a temporary one; until disposed */
  note(path: ByteString): Disposable {
    if (this.#directory === undefined) return { [Symbol.dispose]: () => {} };
    const { name = '' } = splitPath(path);
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const file = join(this.#directory, name);
    writeFileSync(file, path, 'latin1');
    return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
  }

  /**
   * Removes what is left of all that were noted before it was called. What cannot be removed is
   * tried again the next time.
   * @throws the error of the last that could not be removed
   */
  async removeAll(root: RootDirectory): Promise<void> {
    if (this.#directory === undefined) return;
    let failure: unknown;
    for (const name of this.#noted()) {
      const file = join(this.#directory, name);
      try {
        const path = byteString(readFileSync(file, 'latin1'));
        if (isTemporaryName(splitPath(path).name ?? '')) await removeLeftOver(root, path);
        rmSync(file, { force: true });
      } catch (error) {
        failure = rootedFsErrorOf(error, name);
      }
    }
    if (failure !== undefined) throw failure;
  }

  #noted(): string[] {
    if (this.#directory === undefined) return [];
    try {
      return readdirSync(this.#directory);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      return [];
    }
  }
}

async function removeLeftOver(root: RootDirectory, path: ByteString): Promise<void> {
  try {
    await removePath(root, path, { recursive: true });
  } catch (error) {
    // The guest may have removed it, or put something else on its way.
    if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) throw error;
  }
}
