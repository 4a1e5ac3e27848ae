import { closeSync } from 'node:fs';
import { hostPath } from '../ffi/byte-string.ts';
import { AT_FDCWD, O_DIRECTORY, O_PATH, RENAME_EXCHANGE } from '../ffi/constants.ts';
import { openat, renameat2 } from '../ffi/file-calls.ts';

/** A name in a trusted directory of the host. */
export interface HostEntry {
  readonly directory: string;
  readonly name: string;
}

/**
 * Lets two entries of one file system change places in one step. What is mounted below them goes
 * along. @throws SystemError
 */
export function exchangeEntries(one: HostEntry, other: HostEntry): void {
  const flags = O_PATH | O_DIRECTORY;
  const first = openat(AT_FDCWD, hostPath(one.directory), flags);
  try {
    const second = openat(AT_FDCWD, hostPath(other.directory), flags);
    try {
      renameat2(first, hostPath(one.name), second, hostPath(other.name), RENAME_EXCHANGE);
    } finally {
      closeSync(second);
    }
  } finally {
    closeSync(first);
  }
}
