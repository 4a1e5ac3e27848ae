import { closeSync } from 'node:fs';
import { byteString, type ByteString } from '../../ffi/byte-string.ts';
import { O_NOFOLLOW, O_PATH } from '../../ffi/constants.ts';
import { errnoOf } from '../../ffi/system-error.ts';
import { statDescriptor } from '../attributes/entry.ts';
import { type RootDirectory, joinPath } from './root-directory.ts';

/** Where a path leads. */
export interface LocatedPath {
  /** Absolute path without symlinks, `.` and `..`. */
  readonly pathBytes: Buffer;
  readonly exists: boolean;
}

/** Follows a path as far as it exists; what is missing is added as it stands. @throws SystemError, Refusal */
export function locatePath(root: RootDirectory, path: ByteString): LocatedPath {
  try {
    const { fd, path: normal } = root.openAt(path, O_PATH);
    closeSync(fd);
    return { pathBytes: Buffer.from(normal, 'latin1'), exists: true };
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    const located = root.locateMissing(path);
    if (located === undefined) throw error;
    closeSync(located.directory);
    const missing = located.missing.filter((name) => name !== '.');
    if (missing.includes(byteString('..'))) throw error;
    const pathBytes = Buffer.from(joinPath(located.directoryPath, missing), 'latin1');
    return { pathBytes, exists: false };
  }
}

/** Whether another file system, or another part of one, is mounted here. @throws SystemError, Refusal */
export function isMountPoint(root: RootDirectory, path: ByteString): boolean {
  const fd = root.open(path, O_PATH | O_NOFOLLOW);
  try {
    return statDescriptor(fd).isMountPoint;
  } finally {
    closeSync(fd);
  }
}
