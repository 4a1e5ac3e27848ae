import { closeSync } from 'node:fs';
import type { ByteString } from '../../ffi/byte-string.ts';
import { withFileOwner } from '../../ffi/credential-calls.ts';
import { symlinkat } from '../../ffi/file-calls.ts';
import { statEntry } from '../attributes/entry.ts';
import { findPlace } from '../paths/entry-place.ts';
import type { Creation } from './make-directory.ts';
import { placeEntry } from './place-entry.ts';
import type { RootDirectory } from '../paths/root-directory.ts';
import { Refusal } from '../rooted-fs-error.ts';

/**
 * Makes a symlink, atomically also where it replaces a file or a symlink.
 * @param text where it leads; need not exist
 * @throws SystemError, Refusal `exists`, `is_directory`, `not_a_regular_file`
 */
export function makeSymlink(
  root: RootDirectory,
  path: ByteString,
  text: ByteString,
  options: { readonly creation: Creation; readonly overwrite: boolean },
): void {
  const { hostUid, hostGid } = options.creation;
  const { directory, name, mustBeDirectory } = findPlace(root, path, options.creation);
  try {
    const there = statEntry(directory, name);
    if (there?.type === 'directory') throw new Refusal('is_directory', { fileType: there.type });
    if (mustBeDirectory) throw new Refusal('not_a_directory', { errno: 'ENOTDIR' });
    withFileOwner(hostUid, hostGid, () => {
      if (options.overwrite) {
        placeEntry(directory, name, (free) => symlinkat(text, directory, free));
      } else symlinkat(text, directory, name);
    });
  } finally {
    closeSync(directory);
  }
}
