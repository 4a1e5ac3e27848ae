import { closeSync } from 'node:fs';
import type { ByteString } from '../../ffi/byte-string.ts';
import { O_PATH } from '../../ffi/constants.ts';
import { readlinkat } from '../../ffi/file-calls.ts';
import { SystemError, errnoOf } from '../../ffi/system-error.ts';
import { statDescriptor, statEntry } from '../attributes/entry.ts';
import { MAX_SYMLINKS, splitPath } from '../paths/guest-path.ts';
import { type Creation, openDirectory } from '../entries/make-directory.ts';
import { type RootDirectory, joinPath, joinTarget } from '../paths/root-directory.ts';
import { Refusal } from '../rooted-fs-error.ts';

/** The name that a write ends at. The caller closes `directory`. */
export interface WriteTarget {
  /** O_PATH descriptor. */
  readonly directory: number;
  readonly name: ByteString;
}

/**
 * Follows `path` to the regular file it names or would name, through symlinks, dangling ones too.
 * @param parents how to make missing directories; undefined: not at all
 * @throws SystemError, Refusal `is_directory`, `not_a_regular_file`
 */
export function findWriteTarget(
  root: RootDirectory,
  path: ByteString,
  parents: Creation | undefined,
): WriteTarget {
  let current = path;
  for (let symlinks = 0; symlinks <= MAX_SYMLINKS; symlinks++) {
    const { parent, name } = splitPath(current);
    if (name === undefined) return refuseDirectoryPath(root, current);
    const { fd: directory, path: directoryPath } = openDirectory(root, parent, parents);
    let found = false;
    try {
      const entry = statEntry(directory, name);
      root.refuseBelowHidden(joinPath(directoryPath, [name]));
      if (entry?.type === 'directory') {
        throw new Refusal('is_directory', { fileType: entry.type });
      }
      root.refuseHidden(joinPath(directoryPath, [name]));
      if (entry === undefined || entry.type === 'file') {
        found = true;
        return { directory, name };
      }
      if (entry.type !== 'symlink') {
        throw new Refusal('not_a_regular_file', { fileType: entry.type });
      }
      current = joinTarget(directoryPath, readlinkat(directory, name), []);
    } catch (error) {
      if (errnoOf(error) !== 'EINVAL') throw error; // The symlink became something else: look again.
    } finally {
      if (!found) closeSync(directory);
    }
  }
  throw new SystemError('ELOOP', 'openat2');
}

/** Answers for a path that ends in '/', '.' or '..': only a directory can be there. */
function refuseDirectoryPath(root: RootDirectory, path: ByteString): never {
  try {
    const fd = root.open(path, O_PATH);
    try {
      throw new Refusal('is_directory', { fileType: statDescriptor(fd).type });
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const isNewName = errnoOf(error) === 'ENOENT' && path.endsWith('/');
    if (isNewName) throw new Refusal('is_directory', { errno: 'EISDIR' });
    throw error;
  }
}
