import { closeSync } from 'node:fs';
import type { ByteString } from '../../ffi/byte-string.ts';
import { AT_REMOVEDIR, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDONLY } from '../../ffi/constants.ts';
import { clearProtection, openat, reopen, unlinkat } from '../../ffi/file-calls.ts';
import { errnoOf } from '../../ffi/system-error.ts';
import { statDescriptor, statEntry } from '../attributes/entry.ts';
import { LARGE_FILE_BYTES, closeInBackground } from '../descriptors/guarded-descriptor.ts';
import { Refusal } from '../rooted-fs-error.ts';

export interface UnlinkOptions {
  /** Clear the immutable and append-only flags where they are in the way. @default false */
  readonly clearProtection?: boolean;
}

/** How often an entry may change between file and directory before we give up. */
const MAX_RACES = 64;

export type UnlinkOutcome = 'gone' | 'directory_not_empty';

/**
 * Removes one entry of a directory: a file, a symlink (not its target) or an empty directory.
 * No error when it is gone already.
 * @throws SystemError EBUSY at a mount point, Refusal `busy`
 */
export function unlinkEntry(
  parent: number,
  name: ByteString,
  options: UnlinkOptions = {},
): UnlinkOutcome {
  let mayClear = options.clearProtection === true;
  for (let attempt = 0; attempt < MAX_RACES; attempt++) {
    const entry = statEntry(parent, name);
    if (entry === undefined) return 'gone';
    const isDirectory = entry.type === 'directory';
    try {
      if (entry.type === 'file' && entry.size > LARGE_FILE_BYTES) unlinkLarge(parent, name);
      else unlinkat(parent, name, isDirectory ? AT_REMOVEDIR : 0);
      return 'gone';
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'ENOENT') return 'gone';
      if (errno === 'ENOTEMPTY' || errno === 'EEXIST') return 'directory_not_empty';
      if (errno === 'EPERM' && mayClear) {
        mayClear = false;
        clearFlags(parent, name);
      } else if (errno !== 'EISDIR' && errno !== 'ENOTDIR') throw error;
    }
  }
  throw new Refusal('busy', { errno: 'EAGAIN' });
}

/** Takes the name away at once; the blocks are freed when the thread pool closes the file. */
function unlinkLarge(parent: number, name: ByteString): void {
  const fd = openat(parent, name, O_PATH | O_NOFOLLOW);
  try {
    unlinkat(parent, name, 0);
  } finally {
    closeInBackground(fd);
  }
}

function clearFlags(parent: number, name: ByteString): void {
  const directory = reopen(parent, O_RDONLY);
  try {
    clearProtection(directory);
  } finally {
    closeSync(directory);
  }
  const handle = openat(parent, name, O_PATH | O_NOFOLLOW);
  try {
    const { type } = statDescriptor(handle);
    if (type !== 'file' && type !== 'directory') return;
    const fd = reopen(handle, O_RDONLY | O_NONBLOCK);
    try {
      clearProtection(fd);
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(handle);
  }
}
