import { closeSync } from 'node:fs';
import type { ByteString } from '../../ffi/byte-string.ts';
import {
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  RENAME_NOREPLACE,
  RESOLVE_BENEATH,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from '../../ffi/constants.ts';
import { openat2, renameat2 } from '../../ffi/file-calls.ts';
import { errnoOf } from '../../ffi/system-error.ts';
import { statDescriptor } from '../attributes/entry.ts';
import { Refusal } from '../rooted-fs-error.ts';
import { scanDirectory } from '../walk/scan-directory.ts';
import { temporaryName } from '../write/temporary-file.ts';
import { TimeSlice } from '../../time-slice.ts';
import { type UnlinkOptions, unlinkEntry } from './unlink-entry.ts';

/** Below this depth directories are moved up, so that few descriptors do for any depth. */
const FLATTEN_DEPTH = 32;
/** Directories that cannot be moved (overlay's merged ones) may nest as deep as this. */
const MAX_DEPTH = 512;
/** How often a directory that others fill may turn out not empty. */
const MAX_ROUNDS = 64;

/**
 * A guest that fills a directory while it is emptied could keep us at it for ever. No file system
 * needs less than two bytes of a directory for a name, so its size bounds what was there at first;
 * this many more are taken for overlay's lower layers and for what comes meanwhile.
 */
export const removal = { extraEntries: 250_000 };

export interface RemoveTreeOptions extends UnlinkOptions {
  readonly signal?: AbortSignal | undefined;
}

interface Level {
  readonly fd: number;
  /** Where its own name is. */
  readonly parent: number;
  readonly name: ByteString;
  entries: AsyncIterator<ByteString[]>;
  batch: ByteString[];
  rounds: number;
  /** How many more of its entries are removed before it counts as refilled. */
  allowance: number;
}

/**
 * Removes the entry `name` of an open directory with all that is below it, while others may change
 * the tree: symlinks are removed, not followed; no mount is crossed; nothing outside of what hung
 * below the entry is touched. No error when parts are gone already.
 * @throws SystemError, Refusal `busy` at a mount, `not_empty` when others refill it; AbortError
 */
export async function removeEntry(
  parent: number,
  name: ByteString,
  options: RemoveTreeOptions = {},
): Promise<void> {
  const levels: Level[] = [];
  const slice = new TimeSlice();
  enter(levels, parent, name, options);
  try {
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      if (slice.isOver) await slice.yield();
      options.signal?.throwIfAborted();
      const next = level.batch.pop();
      if (next !== undefined) {
        if (--level.allowance < 0) throw new Refusal('not_empty', { errno: 'ENOTEMPTY' });
        enter(levels, level.fd, next, options);
        continue;
      }
      const read = await level.entries.next();
      if (read.done === true) await leave(levels, level, options);
      else level.batch = [...read.value];
    }
  } finally {
    for (const level of levels) await close(level);
  }
}

/** Removes one entry, or begins with the directory that it is. */
function enter(
  levels: Level[],
  parent: number,
  name: ByteString,
  options: RemoveTreeOptions,
): void {
  if (unlinkEntry(parent, name, options) !== 'directory_not_empty') return;
  const top = levels[0];
  if (levels.length >= FLATTEN_DEPTH && top !== undefined && moveUp(parent, name, top)) return;
  if (levels.length >= MAX_DEPTH) {
    throw new Refusal('io', { errno: 'EMFILE', reason: 'directories are nested too deep' });
  }
  const fd = openChild(parent, name);
  if (fd === undefined) return; // Gone, or something else by now: a later round takes it.
  const allowance = Number(statDescriptor(fd).size / 2n) + removal.extraEntries;
  levels.push({ fd, parent, name, entries: iterate(fd), batch: [], rounds: 0, allowance });
}

function iterate(fd: number): AsyncIterator<ByteString[]> {
  return scanDirectory(fd)[Symbol.asyncIterator]();
}

/** Removes a directory that was emptied, or begins another round over what came up in it. */
async function leave(levels: Level[], level: Level, options: RemoveTreeOptions): Promise<void> {
  if (unlinkEntry(level.parent, level.name, options) === 'directory_not_empty') {
    if (++level.rounds > MAX_ROUNDS) throw new Refusal('not_empty', { errno: 'ENOTEMPTY' });
    level.entries = iterate(level.fd);
    return;
  }
  levels.pop();
  await close(level);
}

async function close(level: Level): Promise<void> {
  try {
    await level.entries.return?.();
  } finally {
    closeSync(level.fd);
  }
}

/**
 * Opens a directory itself; undefined when the name is gone or is anything else, a symlink too.
 * @throws SystemError, Refusal `busy` when it is on another mount
 */
export function openChild(parent: number, name: ByteString): number | undefined {
  try {
    return openat2(
      parent,
      name,
      O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
      RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
    );
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EXDEV') throw new Refusal('busy', { errno: 'EBUSY' });
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP') return undefined;
    throw error;
  }
}

function moveUp(parent: number, name: ByteString, top: Level): boolean {
  const newName = temporaryName();
  try {
    renameat2(parent, name, top.fd, newName, RENAME_NOREPLACE);
  } catch {
    return false; // Overlay's merged directories stay where they are; errors show when it is opened.
  }
  top.batch.push(newName);
  return true;
}
