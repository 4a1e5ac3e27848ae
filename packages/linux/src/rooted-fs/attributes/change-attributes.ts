import { chmod, chmodSync, closeSync } from 'node:fs';
import { promisify } from 'node:util';
import { byteString } from '../../ffi/byte-string.ts';
import { O_NOFOLLOW, O_PATH } from '../../ffi/constants.ts';
import { chownDescriptor, descriptorPath } from '../../ffi/file-calls.ts';
import { statDescriptor } from './entry.ts';
import type { RawStat } from './file-stat.ts';
import { LARGE_FILE_BYTES } from '../descriptors/guarded-descriptor.ts';
import { parsePath } from '../paths/guest-path.ts';
import type { GuestOwner, IdMapping } from './id-mapping.ts';
import { type RootDirectory, joinPath } from '../paths/root-directory.ts';
import { Refusal, rootedFsErrorOf } from '../rooted-fs-error.ts';
import { walkTree } from '../walk/walk-tree.ts';

export interface ChangeOptions {
  /** Also everything below; symlinks there are not followed. @default false */
  readonly recursive?: boolean;
  readonly signal?: AbortSignal;
}

const chmodInPool = promisify(chmod);

/**
 * Sets the permission bits of files and directories; a symlink at `path` is followed.
 * @returns how many were set @throws RootedFsError; what was set before an error stays
 */
export function changeMode(
  root: RootDirectory,
  ids: IdMapping,
  path: string,
  mode: number,
  options: ChangeOptions,
): Promise<number> {
  return changeEach(root, ids, path, { ...options, followSymlinks: true }, async (fd, stat) => {
    if (stat.type !== 'file' && stat.type !== 'directory') return false;
    await copyUp(fd, stat);
    // The path is the kernel's own link to what the descriptor has open.
    chmodSync(descriptorPath(fd), mode & 0o7777);
    return true;
  });
}

/**
 * Sets owners of files, directories and symlinks.
 * @returns how many were set @throws RootedFsError; what was set before an error stays
 */
export function changeOwner(
  root: RootDirectory,
  ids: IdMapping,
  path: string,
  owner: Partial<GuestOwner>,
  options: ChangeOptions & { readonly followSymlinks?: boolean },
): Promise<number> {
  return changeEach(root, ids, path, options, async (fd, stat) => {
    const hostUid = owner.uid === undefined ? undefined : ids.toHost(owner.uid);
    const hostGid = owner.gid === undefined ? undefined : ids.toHost(owner.gid);
    await copyUp(fd, stat);
    chownDescriptor(fd, hostUid, hostGid);
    return true;
  });
}

/** Changes an O_PATH descriptor; false: this is nothing to be changed. */
type Change = (fd: number, stat: RawStat) => Promise<boolean>;

async function changeEach(
  root: RootDirectory,
  ids: IdMapping,
  path: string,
  options: ChangeOptions & { readonly followSymlinks?: boolean },
  change: Change,
): Promise<number> {
  try {
    const { followSymlinks = true, recursive = false, signal } = options;
    const flags = followSymlinks ? O_PATH : O_PATH | O_NOFOLLOW;
    const { fd, path: normal } = root.openAt(parsePath(path), flags);
    let isDirectory: boolean;
    try {
      root.refuseHidden(normal);
      const stat = statDescriptor(fd);
      if (!isServed(stat)) throw new Refusal('not_a_regular_file', { fileType: stat.type });
      await change(fd, stat);
      isDirectory = stat.type === 'directory';
    } finally {
      closeSync(fd);
    }
    let changed = 1;
    if (!recursive || !isDirectory) return changed;
    for await (const entry of walkTree(root, path, ids, signal === undefined ? {} : { signal })) {
      const relative = byteString(entry.relativeBytes.toString('latin1'));
      if (root.isHiddenArea(joinPath(normal, [relative]))) continue;
      if (await changeBelow(entry.openHandle(), change)) changed++;
    }
    return changed;
  } catch (error) {
    throw rootedFsErrorOf(error, path);
  }
}

async function changeBelow(fd: number | undefined, change: Change): Promise<boolean> {
  if (fd === undefined) return false;
  try {
    const stat = statDescriptor(fd);
    return isServed(stat) && (await change(fd, stat));
  } finally {
    closeSync(fd);
  }
}

const isServed = ({ type }: RawStat): boolean =>
  type === 'file' || type === 'directory' || type === 'symlink';

/**
 * Overlay copies a file of the template before its first change. That of a large one is left to the
 * thread pool.
 */
export async function copyUp(fd: number, stat: RawStat): Promise<void> {
  if (stat.type !== 'file' || stat.size <= LARGE_FILE_BYTES) return;
  await chmodInPool(descriptorPath(fd), stat.mode);
}
