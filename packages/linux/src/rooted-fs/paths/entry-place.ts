import { closeSync } from 'node:fs';
import type { ByteString } from '../../ffi/byte-string.ts';
import { O_PATH } from '../../ffi/constants.ts';
import { splitPath } from './guest-path.ts';
import { type Creation, openDirectory } from '../entries/make-directory.ts';
import { type RootDirectory, joinPath } from './root-directory.ts';
import { Refusal } from '../rooted-fs-error.ts';

/** A name in a directory: the entry itself, never what a symlink there leads to. */
export interface EntryPlace {
  /** O_PATH descriptor; whoever asked for the place closes it. */
  readonly directory: number;
  readonly name: ByteString;
  /** Normal path inside the root. */
  readonly path: ByteString;
  /** The path ended in a slash. */
  readonly mustBeDirectory: boolean;
}

/**
 * Finds the place that a path names. Its last name need not exist.
 * @param parents how missing directories are made; undefined: not at all
 * @throws SystemError, Refusal `busy` for the root, `invalid_path` for '.' and '..',
 * `not_a_regular_file` in a hidden area
 */
export function findPlace(
  root: RootDirectory,
  path: ByteString,
  parents: Creation | undefined,
): EntryPlace {
  const trimmed = path.replace(/\/+$/, '') as ByteString; // Still bytes without NUL.
  const { parent, name } = splitPath(trimmed);
  if (trimmed === '') throw new Refusal('busy', { errno: 'EBUSY', reason: 'the root stays' });
  if (name === undefined) {
    closeSync(root.open(path, O_PATH));
    throw new Refusal('invalid_path', { reason: "the path ends in '.' or '..'" });
  }
  const { fd: directory, path: parentPath } = openDirectory(root, parent, parents);
  try {
    const normal = joinPath(parentPath, [name]);
    root.refuseHidden(normal);
    return { directory, name, path: normal, mustBeDirectory: trimmed !== path };
  } catch (error) {
    closeSync(directory);
    throw error;
  }
}

/** Normal path of the place, found without making anything; undefined where it cannot be told. */
export function foreseePath(root: RootDirectory, path: ByteString): ByteString | undefined {
  const { parent, name } = splitPath(path.replace(/\/+$/, '') as ByteString);
  if (name === undefined) return undefined;
  const missing = root.locateMissing(parent);
  if (missing !== undefined) {
    closeSync(missing.directory);
    // As for the kernel, what does not exist has no parent to go to.
    if (missing.missing.includes('..' as ByteString)) return undefined;
    const names = missing.missing.filter((each) => each !== '.');
    return joinPath(missing.directoryPath, [...names, name]);
  }
  const { fd, path: parentPath } = root.openAt(parent, O_PATH);
  closeSync(fd);
  return joinPath(parentPath, [name]);
}
