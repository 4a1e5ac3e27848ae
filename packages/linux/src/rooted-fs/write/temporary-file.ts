import { randomBytes } from 'node:crypto';
import { type ByteString, byteString } from '../../ffi/byte-string.ts';
import {
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_TMPFILE,
  O_WRONLY,
  RENAME_NOREPLACE,
} from '../../ffi/constants.ts';
import { linkDescriptor, openat, renameat2, unlinkat } from '../../ffi/file-calls.ts';
import { SystemError, errnoOf } from '../../ffi/system-error.ts';
import { statDescriptor } from '../attributes/entry.ts';

/** What the running kernel is trusted to have; a test masks it to walk the other path. */
export const temporaryFileFeatures = { unnamedFiles: true };

/** Names of ours in a guest's directories start like this. */
export const TEMPORARY_PREFIX = '.sandport-';

export function temporaryName(): ByteString {
  return byteString(TEMPORARY_PREFIX + randomBytes(9).toString('hex'));
}

/** Whether a name is of the form that ours have; a guest can take such a name too. */
export function isTemporaryName(name: string): boolean {
  if (!name.startsWith(TEMPORARY_PREFIX)) return false;
  return /^(upload-)?[0-9a-f]{18,32}$/.test(name.slice(TEMPORARY_PREFIX.length));
}

/** A new file in a directory, for writing, that is not at its name yet. */
export interface TemporaryFile {
  readonly fd: number;
  /** Undefined: it has none, and is gone when its descriptor is closed. */
  name: ByteString | undefined;
}

/** @throws SystemError */
export function createTemporaryFile(directory: number): TemporaryFile {
  try {
    return createFile(directory);
  } catch (error) {
    // What ext4 says in a directory that was removed.
    const isGone = errnoOf(error) === 'EPERM' && statDescriptor(directory).nlink === 0;
    throw isGone ? new SystemError('ENOENT', 'openat') : error;
  }
}

function createFile(directory: number): TemporaryFile {
  if (temporaryFileFeatures.unnamedFiles) {
    try {
      const fd = openat(directory, '.' as ByteString, O_TMPFILE | O_WRONLY, 0o600);
      return { fd, name: undefined };
    } catch (error) {
      // EISDIR and EINVAL: what file systems and kernels without O_TMPFILE say.
      if (!['EOPNOTSUPP', 'EISDIR', 'EINVAL'].includes(errnoOf(error) ?? '')) throw error;
    }
  }
  const name = temporaryName();
  const flags = O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY;
  return { fd: openat(directory, name, flags, 0o600), name };
}

/**
 * Puts the file at `name`, atomically, replacing what is there unless it is a directory.
 * @throws SystemError; the file then still has `file.name`, if any
 */
export function publishOver(file: TemporaryFile, directory: number, name: ByteString): void {
  if (file.name === undefined) {
    const temporary = temporaryName();
    linkDescriptor(file.fd, directory, temporary);
    file.name = temporary;
  }
  renameat2(directory, file.name, directory, name);
  file.name = undefined;
}

/** Puts the file at `name` when nothing is there; false when something is. @throws SystemError */
export function publishIfFree(file: TemporaryFile, directory: number, name: ByteString): boolean {
  try {
    if (file.name === undefined) linkDescriptor(file.fd, directory, name);
    else renameat2(directory, file.name, directory, name, RENAME_NOREPLACE);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    return false;
  }
  file.name = undefined;
  return true;
}

/** Takes the file's temporary name away; no error when that cannot be done. */
export function discard(file: TemporaryFile, directory: number): void {
  if (file.name === undefined) return;
  try {
    unlinkat(directory, file.name, 0);
  } catch {
    // The guest removed it, or the file system no longer lets us.
  }
  file.name = undefined;
}
