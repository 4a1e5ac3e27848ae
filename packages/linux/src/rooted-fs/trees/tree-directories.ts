import { closeSync } from 'node:fs';
import type { ByteString } from '../../ffi/byte-string.ts';
import {
  O_DIRECTORY,
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
} from '../../ffi/constants.ts';
import { openat2 } from '../../ffi/file-calls.ts';
import { errnoOf } from '../../ffi/system-error.ts';
import { unsafe } from './entry-name.ts';
import { componentsOf } from '../paths/guest-path.ts';
import { type Creation, makeOne, openDirectory } from '../entries/make-directory.ts';
import { type RootDirectory, joinPath } from '../paths/root-directory.ts';
import { Refusal } from '../rooted-fs-error.ts';
import { isServedFileSystem } from '../paths/served-file-systems.ts';

/** Archives list a directory's entries together: a few open directories do. */
const MAX_OPEN = 64;

const FLAGS = O_PATH | O_DIRECTORY;
const BENEATH = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

/** An open directory, good until the next one is asked for. */
export interface TreeDirectory {
  /** O_PATH descriptor. */
  readonly fd: number;
  /** Normal path inside the root. */
  readonly path: ByteString;
}

export interface TreeTop {
  readonly directory: TreeDirectory;
  /** Whether it was made for this tree. */
  readonly isNew: boolean;
}

/**
 * Opens the directory that a tree is written into, through symlinks, or makes it.
 * The caller closes its descriptor.
 */
export function openTop(root: RootDirectory, path: ByteString, creation: Creation): TreeTop {
  const directory = openIfThere(root, path);
  const top = directory ?? openDirectory(root, path, creation);
  try {
    root.refuseHidden(top.path);
    return { directory: top, isNew: directory === undefined };
  } catch (error) {
    closeSync(top.fd);
    throw error;
  }
}

function openIfThere(root: RootDirectory, path: ByteString): TreeDirectory | undefined {
  try {
    return openDirectory(root, path, undefined);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return undefined;
  }
}

/**
 * The directories of a tree that is written, opened by their paths below its top: never through a
 * symlink, never outside. The kernel checks that at every step, whatever is renamed meanwhile.
 */
export class TreeDirectories implements Disposable {
  readonly #root: RootDirectory;
  readonly #top: TreeDirectory;
  readonly #parents: Creation;
  /** The last used is the last one. */
  readonly #open = new Map<ByteString, TreeDirectory>();

  /** Takes over the descriptor. @param parents how missing directories are made */
  constructor(root: RootDirectory, top: TreeDirectory, parents: Creation) {
    this.#root = root;
    this.#top = top;
    this.#parents = parents;
  }

  /**
   * @param path as `a/b`; empty: the top
   * @throws SystemError, Refusal `unsafe` through a symlink, `exists` where a part is a file
   */
  open(path: ByteString): TreeDirectory {
    return this.find(path) ?? this.#makeAll(path);
  }

  /** The same; undefined when there is no such directory. */
  find(path: ByteString): TreeDirectory | undefined {
    if (path === '') return this.#top;
    const known = this.#open.get(path);
    if (known === undefined) {
      const fd = openBeneath(this.#top.fd, path);
      return fd === undefined ? undefined : this.#remember(path, fd);
    }
    this.#open.delete(path);
    this.#open.set(path, known);
    return known;
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#open.values()) closeSync(fd);
    this.#open.clear();
    closeSync(this.#top.fd);
  }

  #makeAll(path: ByteString): TreeDirectory {
    let at = this.#top.fd;
    let normal = this.#top.path;
    try {
      for (const name of componentsOf(path)) {
        normal = joinPath(normal, [name]);
        const next = openBeneath(at, name) ?? this.#make(at, name, normal);
        if (at !== this.#top.fd) closeSync(at);
        at = next;
      }
    } catch (error) {
      if (at !== this.#top.fd) closeSync(at);
      throw error;
    }
    return this.#remember(path, at);
  }

  #make(parent: number, name: ByteString, normal: ByteString): number {
    this.#root.refuseHidden(normal);
    return makeOne(parent, name, this.#parents);
  }

  /** Takes over `fd`. */
  #remember(path: ByteString, fd: number): TreeDirectory {
    try {
      const directory = { fd, path: this.#root.pathOf(fd) };
      this.#root.refuseHidden(directory.path);
      if (!isServedFileSystem(fd)) throw new Refusal('not_a_regular_file');
      this.#open.set(path, directory);
      this.#closeOldest();
      return directory;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  #closeOldest(): void {
    if (this.#open.size <= MAX_OPEN) return;
    for (const [path, { fd }] of this.#open) {
      this.#open.delete(path);
      closeSync(fd);
      return;
    }
  }
}

/** Undefined where nothing is. @throws SystemError, Refusal */
export function openBeneath(
  directory: number,
  path: ByteString,
  flags = FLAGS,
): number | undefined {
  try {
    return openat2(directory, path, flags, BENEATH);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') return undefined;
    if (errno === 'ELOOP') throw unsafe('its way runs through a symbolic link');
    if (errno === 'ENOTDIR') throw new Refusal('exists', { errno: 'ENOTDIR', fileType: 'file' });
    throw error;
  }
}
