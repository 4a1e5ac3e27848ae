import { randomBytes } from 'node:crypto';
import {
  chmod,
  type FileHandle,
  lstat,
  open,
  realpath,
  rename,
  stat,
  unlink,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errnoOf, LocalFileError } from '../../errors/client-errors.ts';
import { makeDirectories } from '../make-directories.ts';
import { reason } from '../write/local-source.ts';

/**
 * A local file that is being written. Its bytes go to a file of another name beside it, which takes
 * its name at the end: the target is the whole old or the whole new file, and nothing is left after
 * a failure. Parents are made. A symlink's target is replaced, not the link; a pipe or a device is
 * written where it is.
 */
export class LocalTarget implements AsyncDisposable {
  readonly handle: FileHandle;
  /** Not a regular file: bytes must come in order. */
  readonly inPlace: boolean;
  readonly #given: string;
  readonly #path: string;
  readonly #temporary: string;
  readonly #mode: number | undefined;
  #isOpen = true;
  #isDone = false;

  private constructor(handle: FileHandle, given: string, temporary: string, place: Place) {
    this.handle = handle;
    this.inPlace = place.inPlace;
    this.#given = given;
    this.#path = place.path;
    this.#temporary = temporary;
    this.#mode = place.mode;
  }

  /**
   * @param onEntry `replace`: whatever is there but a directory is replaced, a symlink or a pipe
   * too; for names that a sandbox chose
   * @throws LocalFileError
   */
  static async open(localPath: string, onEntry: OnEntry = 'follow'): Promise<LocalTarget> {
    try {
      const place = await placeOf(localPath, onEntry);
      const name = `.sandport-${randomBytes(8).toString('hex')}.part`;
      const temporary = place.inPlace ? place.path : join(dirname(place.path), name);
      const handle = await open(temporary, place.inPlace ? 'w' : 'wx+');
      return new LocalTarget(handle, localPath, temporary, place);
    } catch (error) {
      throw localError(error, localPath);
    }
  }

  /** Writes chunks one behind the other. A pipe gets them in order, whatever the position. */
  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    try {
      let at = position;
      for (let rest = chunks; rest.length > 0; ) {
        const { bytesWritten } = await this.handle.writev([...rest], this.inPlace ? undefined : at);
        at += bytesWritten;
        rest = behind(rest, bytesWritten);
      }
    } catch (error) {
      throw localError(error, this.#given);
    }
  }

  /** Gives the file its name. */
  async finish(): Promise<void> {
    try {
      await this.#close();
      if (!this.inPlace) {
        if (this.#mode !== undefined) await chmod(this.#temporary, this.#mode);
        await rename(this.#temporary, this.#path);
      }
      this.#isDone = true;
    } catch (error) {
      throw localError(error, this.#given);
    }
  }

  /** Removes what is not finished. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close().catch(() => {});
    if (!this.#isDone && !this.inPlace) await unlink(this.#temporary).catch(() => {});
    this.#isDone = true;
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.handle.close();
  }
}

/** What becomes of a symlink, a pipe or a device at the path. */
export type OnEntry = 'follow' | 'replace';

interface Place {
  readonly path: string;
  readonly inPlace: boolean;
  /** Permission bits of the file that is replaced. */
  readonly mode?: number;
}

async function placeOf(localPath: string, onEntry: OnEntry): Promise<Place> {
  const path = resolve(localPath);
  const look = onEntry === 'follow' ? stat : lstat;
  const stats = await look(path).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (stats === undefined) {
    makeDirectories(dirname(path));
    return { path, inPlace: false };
  }
  if (stats.isDirectory())
    throw new LocalFileError(`${localPath} is a directory; name the file to write.`, localPath);
  if (onEntry === 'replace') return { path, inPlace: false };
  if (!stats.isFile()) return { path, inPlace: true };
  return { path: await realpath(path), inPlace: false, mode: stats.mode & 0o7777 };
}

/** What is left of chunks when so many bytes of them are written. */
function behind(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let rest = bytes;
  for (const [index, chunk] of chunks.entries()) {
    if (rest < chunk.byteLength) return [chunk.subarray(rest), ...chunks.slice(index + 1)];
    rest -= chunk.byteLength;
  }
  return [];
}

/** A sentence for what the system reports; everything else stays as it is. */
function localError(error: unknown, localPath: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  return new LocalFileError(
    `The local file ${localPath} cannot be written: ${reason(error)}.`,
    localPath,
    error,
  );
}
