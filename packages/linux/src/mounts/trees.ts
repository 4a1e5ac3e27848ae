import { closeSync } from 'node:fs';
import { type ByteString, hostPath } from '../ffi/byte-string.ts';
import { AT_FDCWD } from '../ffi/constants.ts';
import {
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  cloneTree,
  moveMount,
  setMountAttributes,
  umount,
  umountAside,
} from '../ffi/mount-calls.ts';
import { errnoOf } from '../ffi/system-error.ts';

export interface BindTreeOptions {
  /** Trusted path on the host: a directory or a file. */
  readonly source: string;
  /** @default false */
  readonly readOnly?: boolean;
}

export interface IdMappedTreeOptions extends BindTreeOptions {
  /** As createUserNamespace gives it: an owner N on disk appears as the namespace's host id of N. */
  readonly userNamespaceFd: number;
}

/**
 * A detached bind mount, nosuid, nodev and private. It is gone when the descriptor is closed without
 * being attached; the caller closes it.
 * @throws SystemError
 */
export function bindTree(options: BindTreeOptions): number {
  return makeTree(options, undefined);
}

/** The same with owners mapped. @throws SystemError EINVAL when the file system cannot */
export function createIdMappedTree(options: IdMappedTreeOptions): number {
  return makeTree(options, options.userNamespaceFd);
}

function makeTree(options: BindTreeOptions, userNamespaceFd: number | undefined): number {
  const tree = cloneTree(AT_FDCWD, hostPath(options.source));
  try {
    const readOnly = options.readOnly === true ? MOUNT_ATTR_RDONLY : 0;
    setMountAttributes(tree, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | readOnly, userNamespaceFd);
    return tree;
  } catch (error) {
    closeSync(tree);
    throw error;
  }
}

/** Attaches a detached mount to a trusted host path, or to the directory a descriptor has open. */
export function attachTree(
  treeFd: number,
  target: { readonly path: string } | { readonly fd: number },
): void {
  if ('path' in target) moveMount(treeFd, AT_FDCWD, hostPath(target.path));
  else moveMount(treeFd, target.fd, '' as ByteString);
}

export interface UnmountOptions {
  /** Takes it away at once; the file system ends when nobody uses it any more. @default false */
  readonly detach?: boolean;
}

/** Unmounts what is mounted at a trusted host path; no error when nothing is. @throws SystemError EBUSY */
export function unmount(path: string, options: UnmountOptions = {}): void {
  try {
    umount(hostPath(path), options.detach ?? false);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'EINVAL' && errno !== 'ENOENT') throw error;
  }
}

/**
 * As {@link unmount} with `detach`. A thread of the pool waits until the kernel is sure that nobody
 * looks at the mount any more, some milliseconds on a busy machine.
 */
export async function detachMount(path: string): Promise<void> {
  // Only that thread knows why it failed.
  if (!(await umountAside(hostPath(path)))) unmount(path, { detach: true });
}
