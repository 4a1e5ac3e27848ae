import type { ByteString } from '../../ffi/byte-string.ts';
import {
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
} from '../../ffi/constants.ts';
import { openat2 } from '../../ffi/file-calls.ts';
import { errnoOf } from '../../ffi/system-error.ts';

const FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK;
const BENEATH = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

/**
 * Opens a directory below another one: never through a symlink, never outside. The caller closes it.
 * Undefined when there is no such directory.
 * @throws SystemError ENAMETOOLONG when the path is longer than a path can be
 */
export function openDirectoryBeneath(directory: number, path: ByteString): number | undefined {
  try {
    return openat2(directory, path, FLAGS, BENEATH);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP') return undefined;
    throw error;
  }
}
