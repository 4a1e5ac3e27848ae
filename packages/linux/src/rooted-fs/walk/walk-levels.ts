import { closeSync } from 'node:fs';
import type { ByteString } from '../../ffi/byte-string.ts';
import { errnoOf } from '../../ffi/system-error.ts';
import { statDescriptor } from '../attributes/entry.ts';
import { identityOf } from '../attributes/file-stat.ts';
import { openDirectoryBeneath } from '../paths/open-beneath.ts';
import type { RootDirectory } from '../paths/root-directory.ts';
import { isServedFileSystem } from '../paths/served-file-systems.ts';
import { nameWindow, nextNames } from './sorted-names.ts';
import type { TimeSlice } from '../../time-slice.ts';

/** What a walk holds at a time, however deep and wide the tree is. A test sets less. */
export const walkLimits = { descriptors: 64 };

/** A directory that a walk is in. */
export class WalkLevel {
  /** Path below the start of the walk; empty for the start itself. */
  readonly path: ByteString;
  /** Undefined while it is closed. */
  fd: number | undefined;
  readonly identity: string;
  #names: ByteString[] = [];
  #next = 0;
  #isLast = false;
  #after: ByteString | undefined;

  /** Takes over `fd`. */
  constructor(fd: number, path: ByteString) {
    this.fd = fd;
    this.path = path;
    this.identity = identityOf(statDescriptor(fd));
  }

  /** How many names it keeps in memory. */
  get heldNames(): number {
    return this.#names.length;
  }

  get needsNames(): boolean {
    return this.#next === this.#names.length && !this.#isLast;
  }

  /** Goes on behind this name. */
  startAfter(name: ByteString): void {
    this.#after = name;
    this.forgetNames();
  }

  /** Path of one of its entries below the start of the walk. */
  pathOf(name: ByteString): ByteString {
    return this.path === '' ? name : (`${this.path}/${name}` as ByteString); // Both are bytes.
  }

  /** The next of the names at hand. */
  nextName(): ByteString | undefined {
    const name = this.#names[this.#next];
    if (name === undefined) return undefined;
    this.#next++;
    this.#after = name;
    return name;
  }

  /** @throws SystemError */
  async readNames(fd: number, slice: TimeSlice): Promise<void> {
    const { names, isLast } = await nextNames(fd, this.#after, slice);
    this.#names = names;
    this.#next = 0;
    this.#isLast = isLast;
  }

  /** They are read again when they are needed. */
  forgetNames(): void {
    this.#names = [];
    this.#next = 0;
    this.#isLast = false;
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }
}

/** The directories from the start of a walk down to where it is. */
export class WalkLevels {
  readonly #root: RootDirectory;
  readonly #levels: WalkLevel[];

  /** Takes over `fd`, the directory that the walk starts from. */
  constructor(root: RootDirectory, fd: number) {
    this.#root = root;
    this.#levels = [new WalkLevel(fd, '' as ByteString)];
  }

  get depth(): number {
    return this.#levels.length;
  }

  get top(): WalkLevel | undefined {
    return this.#levels.at(-1);
  }

  /**
   * Goes into a directory of the top level. False when it is not to be walked: gone, something else
   * by now, or an area that belongs to the kernel.
   * @throws SystemError ENAMETOOLONG when its path is longer than a path can be
   */
  enter(name: ByteString): boolean {
    const parent = this.top;
    if (parent?.fd === undefined) return false;
    const fd = openDirectoryBeneath(parent.fd, name);
    if (fd === undefined) return false;
    try {
      if (!this.#isWalked(fd)) {
        closeSync(fd);
        return false;
      }
      this.#levels.push(new WalkLevel(fd, parent.pathOf(name)));
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    // The start stays open: the others are found again from it.
    const furthest = this.#levels.length - walkLimits.descriptors;
    if (furthest > 0) this.#levels[furthest]?.close();
    return true;
  }

  /** Reads names of the top level when none are at hand. @throws SystemError */
  async readNames(slice: TimeSlice): Promise<void> {
    const level = this.top;
    if (level?.fd === undefined) return;
    await level.readNames(level.fd, slice);
    this.#forgetNames();
  }

  leave(): void {
    this.#levels.pop()?.close();
  }

  close(): void {
    for (const level of this.#levels.splice(0)) level.close();
  }

  /** Opens the top level again where it was closed. False when it is no longer where it was. */
  reopen(): boolean {
    const level = this.top;
    if (level === undefined) return false;
    if (level.fd !== undefined) return true;
    const start = this.#levels[0]?.fd;
    if (start === undefined) return false;
    const fd = openDirectoryBeneath(start, level.path);
    if (fd === undefined) return false;
    if (identityOf(statDescriptor(fd)) !== level.identity) {
      closeSync(fd);
      return false;
    }
    level.fd = fd;
    return true;
  }

  #isWalked(fd: number): boolean {
    try {
      return !this.#root.isHiddenArea(this.#root.pathOf(fd)) && isServedFileSystem(fd);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false; // It was removed.
      throw error;
    }
  }

  /** Keeps what all levels hold within bounds; those furthest up are needed last. */
  #forgetNames(): void {
    let held = 0;
    for (const level of this.#levels.toReversed()) {
      held += level.heldNames;
      if (held > 4 * nameWindow.names && level !== this.top) {
        held -= level.heldNames;
        level.forgetNames();
      }
    }
  }
}
