import { closeSync } from 'node:fs';
import { type ByteString, byteString, textOf } from '../../ffi/byte-string.ts';
import {
  O_DIRECTORY,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
} from '../../ffi/constants.ts';
import { openEntry, openat, readlinkat } from '../../ffi/file-calls.ts';
import { errnoOf } from '../../ffi/system-error.ts';
import { statEntry } from '../attributes/entry.ts';
import { type FileStat, type RawStat, identityOf } from '../attributes/file-stat.ts';
import { componentsOf, parsePath } from '../paths/guest-path.ts';
import type { IdMapping } from '../attributes/id-mapping.ts';
import { type OpenedFile, openHandle } from '../descriptors/opened-file.ts';
import type { RootDirectory } from '../paths/root-directory.ts';
import { Refusal, rootedFsErrorOf } from '../rooted-fs-error.ts';
import { TimeSlice } from '../../time-slice.ts';
import { type WalkLevel, WalkLevels } from './walk-levels.ts';

export interface WalkTreeOptions {
  /** How many levels below the path; 1: the entries of the directory alone. @default all */
  readonly depth?: number;
  /** Goes on behind the entry with this {@link TreeEntry.relativeBytes}. */
  readonly after?: Buffer;
  /** Called with every directory before it is entered; false leaves out what is in it. */
  readonly enter?: (directory: TreeEntry) => boolean;
  readonly signal?: AbortSignal;
}

/** One entry of a walk. */
export class TreeEntry {
  /** Of the entry itself: symlinks are not followed. */
  readonly stat: FileStat;
  readonly #name: ByteString;
  readonly #target: ByteString | undefined;
  readonly #raw: RawStat;
  readonly #level: WalkLevel;
  readonly #ids: IdMapping;

  constructor(
    level: WalkLevel,
    name: ByteString,
    raw: RawStat,
    target: ByteString | undefined,
    ids: IdMapping,
  ) {
    this.#level = level;
    this.#name = name;
    this.#raw = raw;
    this.#target = target;
    this.#ids = ids;
    this.stat = ids.guestStat(raw, target === undefined ? undefined : textOf(target));
  }

  /** Decoded as UTF-8, with U+FFFD for what is not. */
  get name(): string {
    return textOf(this.#name);
  }

  get nameBytes(): Buffer {
    return Buffer.from(this.#name, 'latin1');
  }

  /** Path below the start of the walk, decoded as the name. */
  get relativePath(): string {
    return textOf(this.#level.pathOf(this.#name));
  }

  get relativeBytes(): Buffer {
    return Buffer.from(this.#level.pathOf(this.#name), 'latin1');
  }

  /** Text of a symlink, byte by byte. */
  get targetBytes(): Buffer | undefined {
    return this.#target === undefined ? undefined : Buffer.from(this.#target, 'latin1');
  }

  /** The same for all names of one file. */
  get identity(): string {
    return identityOf(this.#raw);
  }

  /** What it takes on the disk. */
  get diskBytes(): bigint {
    return this.#raw.diskBytes;
  }

  /**
   * O_PATH descriptor of what has the name now, of a symlink itself, while the walk is at this
   * entry; undefined when nothing has. The caller closes it.
   * @throws SystemError
   */
  openHandle(): number | undefined {
    const directory = this.#level.fd;
    return directory === undefined ? undefined : openEntry(directory, this.#name);
  }

  /**
   * Opens the regular file itself, while the walk is at this entry. Undefined when it is gone or
   * something else by now. The caller closes it.
   * @throws SystemError, Refusal
   */
  openFile(): OpenedFile | undefined {
    const directory = this.#level.fd;
    if (directory === undefined || this.stat.type !== 'file') return undefined;
    let handle: number | undefined;
    try {
      // O_PATH opens nothing yet: a FIFO or a device that took the name does not notice.
      handle = openat(directory, this.#name, O_PATH | O_NOFOLLOW);
      return openHandle(handle, this.relativePath, this.#ids);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      if (error instanceof Refusal && error.details.fileType !== undefined) return undefined;
      throw error;
    } finally {
      if (handle !== undefined) closeSync(handle);
    }
  }
}

/**
 * Entries of a directory and of all below it, each directory sorted by name byte by byte, a
 * directory before what is in it. No symlink is followed; mounts are entered, hidden areas are not.
 * What vanishes meanwhile is left out. Memory and descriptors do not grow with the tree.
 * @throws RootedFsError, `invalid_path` also where a directory's path is longer than a path can be;
 * AbortError
 */
export async function* walkTree(
  root: RootDirectory,
  path: string,
  ids: IdMapping,
  options: WalkTreeOptions = {},
): AsyncGenerator<TreeEntry> {
  const { depth = Number.POSITIVE_INFINITY, enter = () => true, signal } = options;
  let levels: WalkLevels | undefined;
  const slice = new TimeSlice();
  try {
    // With O_DIRECTORY the kernel opens nothing else: no FIFO, no device.
    const flags = O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_NOCTTY;
    const { fd, path: normal } = root.openAt(parsePath(path), flags);
    const open = new WalkLevels(root, fd);
    levels = open;
    const goInto = (entry: TreeEntry, name: ByteString): boolean =>
      entry.stat.type === 'directory' && open.depth < depth && enter(entry) && open.enter(name);
    // A hidden area is empty for us, whatever the template has there.
    if (root.isHiddenArea(normal)) return;
    for (const name of options.after === undefined ? [] : cursorNames(options.after)) {
      const level = open.top;
      level?.startAfter(name);
      const entry = level && readEntry(level, name, ids);
      if (entry === undefined || !goInto(entry, name)) break;
    }
    for (let level = open.top; level !== undefined; level = open.top) {
      signal?.throwIfAborted();
      if (slice.isOver) await slice.yield();
      const isThere = open.reopen();
      if (isThere && level.needsNames) await open.readNames(slice);
      const name = isThere ? level.nextName() : undefined;
      if (name === undefined) {
        open.leave();
        continue;
      }
      const entry = readEntry(level, name, ids);
      if (entry === undefined) continue;
      yield entry;
      goInto(entry, name);
    }
  } catch (error) {
    throw rootedFsErrorOf(error, path);
  } finally {
    levels?.close();
  }
}

function readEntry(level: WalkLevel, name: ByteString, ids: IdMapping): TreeEntry | undefined {
  if (level.fd === undefined) return undefined;
  const raw = statEntry(level.fd, name);
  if (raw === undefined) return undefined;
  if (raw.type !== 'symlink') return new TreeEntry(level, name, raw, undefined, ids);
  try {
    return new TreeEntry(level, name, raw, readlinkat(level.fd, name), ids);
  } catch {
    return undefined; // It vanished, or is no longer a symlink.
  }
}

/** @throws Refusal `invalid_path` when no entry of a walk can have that path */
function cursorNames(relative: Buffer): ByteString[] {
  const text = relative.toString('latin1');
  const names = text.split('/');
  const isBad = (name: string) =>
    name === '' || name === '.' || name === '..' || name.includes('\0') || name.length > 255;
  if (names.some(isBad)) throw new Refusal('invalid_path', { reason: 'not a place in a walk' });
  return componentsOf(byteString(text));
}
