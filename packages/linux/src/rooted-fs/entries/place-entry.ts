import type { ByteString } from '../../ffi/byte-string.ts';
import { RENAME_NOREPLACE } from '../../ffi/constants.ts';
import { linkDescriptor, openEntry, renameat2, unlinkat } from '../../ffi/file-calls.ts';
import { errnoOf } from '../../ffi/system-error.ts';
import { statDescriptor } from '../attributes/entry.ts';
import { closeReplaced } from '../descriptors/guarded-descriptor.ts';
import { Refusal } from '../rooted-fs-error.ts';
import { type TemporaryFile, temporaryName } from '../write/temporary-file.ts';

/**
 * Makes an entry at `name`, atomically over a file or a symlink that is there.
 * @param make makes it at a name that must be free; throws SystemError EEXIST when it is not
 * @throws SystemError, Refusal `exists` over a directory, `not_a_regular_file` over anything else
 */
export function placeEntry(
  directory: number,
  name: ByteString,
  make: (name: ByteString) => void,
): void {
  try {
    make(name);
    return;
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  // Held until the end: dropping the last reference to a large file would block this thread.
  const replaced = openEntry(directory, name);
  try {
    if (replaced !== undefined) checkReplaceable(replaced);
    const temporary = temporaryName();
    make(temporary);
    try {
      renameat2(directory, temporary, directory, name);
    } catch (error) {
      if (errnoOf(error) === 'EISDIR') throw new Refusal('exists', { fileType: 'directory' });
      throw error;
    } finally {
      // It is still there on an error, and between two names of one file: then nothing is renamed.
      removeQuietly(directory, temporary);
    }
  } finally {
    if (replaced !== undefined) closeReplaced(replaced);
  }
}

/** The same for a file that is written. */
export function placeFile(file: TemporaryFile, directory: number, name: ByteString): void {
  placeEntry(directory, name, (free) => {
    if (file.name === undefined) linkDescriptor(file.fd, directory, free);
    else {
      renameat2(directory, file.name, directory, free, RENAME_NOREPLACE);
      file.name = undefined;
    }
  });
}

function checkReplaceable(fd: number): void {
  const { type } = statDescriptor(fd);
  if (type === 'directory') throw new Refusal('exists', { fileType: type });
  if (type !== 'file' && type !== 'symlink') {
    throw new Refusal('not_a_regular_file', { fileType: type });
  }
}

function removeQuietly(directory: number, name: ByteString): void {
  try {
    unlinkat(directory, name, 0);
  } catch {
    // It is gone, as it should be.
  }
}
