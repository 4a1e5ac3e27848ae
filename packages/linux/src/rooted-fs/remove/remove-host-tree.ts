import { closeSync } from 'node:fs';
import { hostPath } from '../../ffi/byte-string.ts';
import { AT_FDCWD, O_DIRECTORY, O_PATH } from '../../ffi/constants.ts';
import { openat } from '../../ffi/file-calls.ts';
import { removeEntry } from './remove-tree.ts';
import { rootedFsErrorOf } from '../rooted-fs-error.ts';

/**
 * Removes one entry of a trusted directory, with all that a guest left below it: names of any
 * bytes, any depth, immutable files. Crosses no mount (`busy`). Idempotent.
 * @param name one component @throws RootedFsError
 */
export async function removeTree(trustedParentDirectory: string, name: string): Promise<void> {
  const path = `${trustedParentDirectory}/${name}`;
  if (name === '' || name === '.' || name === '..' || name.includes('/')) {
    throw new TypeError(`${name}: not the name of a directory's entry`);
  }
  try {
    const parentPath = hostPath(trustedParentDirectory);
    const parent = openat(AT_FDCWD, parentPath, O_PATH | O_DIRECTORY);
    try {
      const bytes = hostPath(name);
      await removeEntry(parent, bytes, { clearProtection: true });
    } finally {
      closeSync(parent);
    }
  } catch (error) {
    throw rootedFsErrorOf(error, path);
  }
}
