import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  constants,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { errnoOf, LocalFileError, UnsafeArchiveError } from '../errors/client-errors.ts';
import { utimesSeconds } from '../filesystem/file-time.ts';
import { makeDirectories } from '../filesystem/make-directories.ts';
import { reason } from '../filesystem/write/local-source.ts';
import { NewFile } from './new-file.ts';

interface Attributes {
  readonly mode: number;
  readonly mtimeNs: bigint;
}

/**
 * A local directory that a tree is written into, entry by entry. No entry lands outside of it: the
 * way to each runs through real directories only, which are looked at without following symlinks.
 * Each file appears whole or not at all. Set-user-id, set-group-id and sticky bits are left out.
 * Names are relative, without `..`; see `entryName`.
 */
export class TreeTarget {
  readonly root: string;
  readonly #overwrite: boolean;
  readonly #mask = process.umask();
  /** Directories that are known to be real; nothing here takes one away. */
  readonly #directories = new Set(['']);
  /** What directories get at the end, when nothing changes their times any more. */
  readonly #attributes = new Map<string, Attributes>();
  /** Files that this target wrote: what hard links may name. */
  readonly #written = new Set<string>();
  /** Symlinks that were left out: nothing is to be written where they would have been. */
  readonly #leftOut = new Set<string>();
  readonly #temporary = `.sandport-${randomBytes(8).toString('hex')}-`;
  #count = 0;

  /** Makes the directory and its parents. @throws LocalFileError */
  constructor(localPath: string, overwrite: boolean) {
    const path = resolve(localPath);
    try {
      makeDirectories(path);
      this.root = realpathSync(path);
    } catch (cause) {
      throw unwritable(localPath, cause);
    }
    this.#overwrite = overwrite;
  }

  directory(name: string, attributes: Attributes): void {
    if (name === '') return;
    this.#makeDirectory(name, name);
    this.#attributes.set(name, attributes);
  }

  /** Begins a file; it takes its name when it is finished. */
  file(name: string, { mode, mtimeNs }: Attributes): NewFile {
    const path = this.place(name);
    const temporary = this.#temporaryBeside(path);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const bits = mode & 0o777;
    // The system clears bits of the user's mask; where that changes nothing, the mode is set already.
    const isKept = (bits & this.#mask) === 0;
    const descriptor = attempt(path, () => openSync(temporary, flags, isKept ? bits : 0o600));
    const finish = () => {
      attempt(path, () => this.#appear(temporary, path));
      this.#written.add(name);
    };
    return new NewFile(descriptor, temporary, path, isKept ? undefined : bits, mtimeNs, finish);
  }

  symlink(name: string, target: string, mtimeNs: bigint): void {
    this.#checkNoDirectory(name);
    const path = this.place(name);
    const temporary = this.#temporaryBeside(path);
    const seconds = utimesSeconds(mtimeNs);
    attempt(path, () => {
      symlinkSync(target, temporary);
      try {
        lutimesSync(temporary, seconds, seconds);
        this.#appear(temporary, path);
      } finally {
        rmSync(temporary, { force: true });
      }
    });
    this.#written.delete(name);
  }

  /** Puts a symlink down that is not made. What the archive has below it is refused. */
  leaveOut(name: string): void {
    this.#checkNoDirectory(name);
    this.#leftOut.add(name);
  }

  /** A further name of a file that this target wrote. @throws UnsafeArchiveError for any other */
  hardLink(name: string, earlier: string): void {
    if (!this.#written.has(earlier))
      throw new UnsafeArchiveError(
        name,
        `is a hard link to ${JSON.stringify(earlier)}, which is no file of the archive`,
      );
    if (name === earlier) return;
    const path = this.place(name);
    const temporary = this.#temporaryBeside(path);
    attempt(path, () => {
      linkSync(join(this.root, earlier), temporary);
      try {
        this.#appear(temporary, path);
      } finally {
        // A rename between two names of one file leaves both.
        rmSync(temporary, { force: true });
      }
    });
    this.#written.add(name);
  }

  /** Gives directories their modes and times, deepest first. */
  finish(): void {
    for (const [name, { mode, mtimeNs }] of [...this.#attributes].toReversed()) {
      const path = join(this.root, name);
      const seconds = utimesSeconds(mtimeNs);
      attempt(path, () => {
        chmodSync(path, mode & 0o777);
        utimesSync(path, seconds, seconds);
      });
    }
  }

  /** Local path of an entry whose parents are real directories, made where they are missing. */
  place(name: string): string {
    if (name === '') throw new UnsafeArchiveError(name, 'would replace the directory itself');
    const slash = name.lastIndexOf('/');
    if (slash !== -1) this.#makeDirectory(name.slice(0, slash), name);
    return `${this.root}/${name}`;
  }

  #checkNoDirectory(name: string): void {
    if (this.#directories.has(name))
      throw new UnsafeArchiveError(name, 'is a symbolic link in place of a directory');
  }

  #makeDirectory(name: string, entry: string): void {
    if (this.#directories.has(name)) return;
    checkLength(this.root, entry);
    if (this.#leftOut.has(name)) throw throughLink(entry, name);
    const slash = name.lastIndexOf('/');
    if (slash !== -1) this.#makeDirectory(name.slice(0, slash), entry);
    const path = `${this.root}/${name}`;
    const there = attempt(path, () => makeOrLook(path));
    if (there?.isSymbolicLink() === true) throw throughLink(entry, name);
    if (there !== undefined && !there.isDirectory())
      throw new LocalFileError(
        `${entry} cannot be written: ${path} is not a directory. Remove it first.`,
        path,
      );
    this.#directories.add(name);
  }

  #temporaryBeside(path: string): string {
    this.#count += 1;
    return `${dirname(path)}/${this.#temporary}${this.#count}.part`;
  }

  /** Gives what was made aside its name. A symlink there is replaced, never followed. */
  #appear(temporary: string, path: string): void {
    if (this.#overwrite) {
      renameSync(temporary, path);
      return;
    }
    linkSync(temporary, path);
    rmSync(temporary);
  }
}

const throughLink = (entry: string, link: string) =>
  new UnsafeArchiveError(entry, `would be written through the symbolic link ${link}`);

/** What Linux takes, less the name of a temporary file. @throws LocalFileError */
function checkLength(root: string, name: string): void {
  if (name.length < 1000 || Buffer.byteLength(`${root}/${name}`) < 4000) return;
  throw new LocalFileError(
    `${name.slice(0, 100)}… cannot be written: the path is longer than 4000 bytes.`,
    name,
  );
}

/** Makes a directory. @returns what is there instead, a link not followed */
function makeOrLook(path: string): Stats | undefined {
  try {
    mkdirSync(path);
    return undefined;
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    return lstatSync(path);
  }
}

function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw errnoOf(cause) === undefined ? cause : unwritable(path, cause);
  }
}

/** What the system said about a local path, as an error of this package. */
export function unwritable(path: string, cause: unknown): LocalFileError {
  return new LocalFileError(`The local ${path} cannot be written: ${reason(cause)}.`, path, cause);
}
