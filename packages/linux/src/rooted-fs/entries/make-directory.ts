import { closeSync, fchmodSync } from 'node:fs';
import type { ByteString } from '../../ffi/byte-string.ts';
import { O_DIRECTORY, O_NOFOLLOW, O_PATH, O_RDONLY } from '../../ffi/constants.ts';
import { withFileOwner } from '../../ffi/credential-calls.ts';
import { mkdirat, openat } from '../../ffi/file-calls.ts';
import { SystemError, errnoOf } from '../../ffi/system-error.ts';
import { statDescriptor } from '../attributes/entry.ts';
import { type RootDirectory, joinPath } from '../paths/root-directory.ts';

/** Owner and mode of what is made, in host ids. */
export interface Creation {
  readonly hostUid: number;
  readonly hostGid: number;
  readonly mode: number;
}

/** How often a directory may vanish while it is made before we give up. */
const MAX_RACES = 16;

/**
 * Opens a directory (O_PATH); makes it and its parents when `creation` is given and they are
 * missing. A dangling symlink on the way is followed and its target made. The caller closes.
 * @throws SystemError, Refusal
 */
export function openDirectory(
  root: RootDirectory,
  path: ByteString,
  creation: Creation | undefined,
): { readonly fd: number; readonly path: ByteString } {
  for (let attempt = 1; ; attempt++) {
    try {
      return root.openAt(path, O_PATH | O_DIRECTORY);
    } catch (error) {
      if (creation === undefined || errnoOf(error) !== 'ENOENT' || attempt > MAX_RACES) throw error;
    }
    makeMissing(root, path, creation);
  }
}

function makeMissing(root: RootDirectory, path: ByteString, creation: Creation): void {
  const located = root.locateMissing(path);
  if (located === undefined) return;
  let directory = located.directory;
  try {
    // As for the kernel, what does not exist has no parent to go to.
    if (located.missing.includes('..' as ByteString)) throw new SystemError('ENOENT', 'mkdirat');
    root.refuseHidden(joinPath(located.directoryPath, located.missing));
    for (const name of located.missing) {
      if (name === '.') continue;
      const child = makeOne(directory, name, creation);
      closeSync(directory);
      directory = child;
    }
  } finally {
    closeSync(directory);
  }
}

/** Makes (or finds) one directory and opens it with O_PATH. */
export function makeOne(parent: number, name: ByteString, creation: Creation): number {
  const { hostUid, hostGid, mode } = creation;
  let isNew = true;
  try {
    withFileOwner(hostUid, hostGid, () => mkdirat(parent, name, mode));
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    isNew = false;
  }
  // A symlink that appeared in its place is ENOTDIR here: nothing is followed.
  if (isNew) setMode(parent, name, creation);
  return openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

/** Gives a new directory the bits that the process's umask took. */
export function setMode(parent: number, name: ByteString, creation: Creation): void {
  const fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    const stat = statDescriptor(fd);
    // Whoever put another owner's directory in its place does not get that one changed.
    const isOurs = stat.hostUid === creation.hostUid && stat.nlink <= 2;
    // What it takes over from its parent (the group) stays.
    const mode = (creation.mode & 0o7777) | (stat.mode & 0o2000);
    if (isOurs && stat.mode !== mode) fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
}
