import { closeSync } from 'node:fs';
import type { ByteString } from '../../ffi/byte-string.ts';
import { O_DIRECTORY, O_NOFOLLOW, O_PATH } from '../../ffi/constants.ts';
import { openat, setModifiedTime } from '../../ffi/file-calls.ts';
import { errnoOf } from '../../ffi/system-error.ts';
import { RootedFsError, rootedFsErrorOf } from '../rooted-fs-error.ts';
import { TimeSlice } from '../../time-slice.ts';
import { openBeneath } from './tree-directories.ts';

/**
 * How many are remembered, and bytes of their paths; with more, the first get their times while
 * entries still come. A test sets less.
 */
export const timeMemory = { directories: 65_536, pathBytes: 16 * 1024 * 1024 };

/** Times that directories of a tree get when nothing is put into them any more. */
export class DirectoryTimes {
  readonly #top: number;
  readonly #timesNs = new Map<ByteString, bigint>();
  #pathBytes = 0;

  /** @param top descriptor of the tree's top, which stays the caller's */
  constructor(top: number) {
    this.#top = top;
  }

  /** @param path below the top; empty: the top itself */
  set(path: ByteString, mtimeNs: bigint): void {
    if (!this.#timesNs.has(path)) this.#pathBytes += path.length;
    this.#timesNs.set(path, mtimeNs);
    for (const [oldest, timeNs] of this.#timesNs) {
      const { directories, pathBytes } = timeMemory;
      if (this.#timesNs.size <= directories && this.#pathBytes <= pathBytes) return;
      this.#timesNs.delete(oldest);
      this.#pathBytes -= oldest.length;
      this.#apply(oldest, timeNs);
    }
  }

  async apply(): Promise<void> {
    const slice = new TimeSlice();
    for (const [path, timeNs] of this.#timesNs) {
      this.#apply(path, timeNs);
      if (slice.isOver) await slice.yield();
    }
    this.#timesNs.clear();
    this.#pathBytes = 0;
  }

  /** A directory that was removed or replaced meanwhile is left alone. */
  #apply(path: ByteString, timeNs: bigint): void {
    let fd: number | undefined;
    try {
      fd =
        path === ''
          ? openat(this.#top, '.' as ByteString, O_PATH | O_DIRECTORY | O_NOFOLLOW)
          : openBeneath(this.#top, path);
      if (fd !== undefined) setModifiedTime(fd, timeNs);
    } catch (error) {
      const told = rootedFsErrorOf(error, path);
      const isGone = told instanceof RootedFsError && ['unsafe', 'exists'].includes(told.kind);
      if (!isGone && errnoOf(error) !== 'ENOENT') throw told;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }
}
