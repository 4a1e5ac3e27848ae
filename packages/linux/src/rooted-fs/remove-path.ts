import { closeSync } from 'node:fs';
import { type ByteString } from '../ffi/byte-string.ts';
import { O_DIRECTORY, O_PATH } from '../ffi/constants.ts';
import { listMounts } from '../mounts/list-mounts.ts';
import { SystemError } from '../ffi/system-error.ts';
import { statEntry } from './entry.ts';
import { isWithin, splitPath } from './guest-path.ts';
import { type RemoveTreeOptions, removeEntry } from './remove-tree.ts';
import { type RootDirectory, joinPath } from './root-directory.ts';
import { Refusal } from './rooted-fs-error.ts';
import { unlinkEntry } from './unlink-entry.ts';

export interface RemoveOptions {
  /** Also a directory that is not empty, with all below it. @default false */
  readonly recursive?: boolean;
  /** Stops; what is removed by then stays removed. */
  readonly signal?: AbortSignal;
}

/** @throws SystemError, Refusal; AbortError */
export async function removePath(
  root: RootDirectory,
  path: ByteString,
  options: RemoveOptions,
): Promise<void> {
  options.signal?.throwIfAborted();
  const trimmed = path.replace(/\/+$/, '') as ByteString; // Still bytes without NUL.
  const { parent, name } = splitPath(trimmed);
  if (trimmed === '') throw new Refusal('busy', { errno: 'EBUSY', reason: 'the root stays' });
  if (name === undefined) {
    closeSync(root.open(path, O_PATH));
    throw new Refusal('invalid_path', { reason: "the path ends in '.' or '..'" });
  }
  const { fd: directory, path: parentPath } = root.openAt(parent, O_PATH | O_DIRECTORY);
  try {
    const normal = joinPath(parentPath, [name]);
    root.refuseHidden(normal);
    const entry = statEntry(directory, name);
    if (entry === undefined) throw new SystemError('ENOENT', 'unlinkat');
    if (trimmed !== path && entry.type !== 'directory')
      throw new SystemError('ENOTDIR', 'unlinkat');
    if (entry.type !== 'directory') {
      unlinkEntry(directory, name);
      return;
    }
    if (root.hiddenAreasBelow(normal).length > 0) throw new Refusal('busy', { errno: 'EBUSY' });
    if (options.recursive === true) {
      await refuseMounts(root, normal);
      const treeOptions: RemoveTreeOptions = { signal: options.signal };
      await removeEntry(directory, name, treeOptions);
    } else if (unlinkEntry(directory, name) === 'directory_not_empty') {
      throw new Refusal('not_empty', { errno: 'ENOTEMPTY' });
    }
  } finally {
    closeSync(directory);
  }
}

/** Refuses before anything is removed; a mount that comes up later is refused when it is met. */
async function refuseMounts(root: RootDirectory, path: ByteString): Promise<void> {
  const hostPath = Buffer.from(root.hostPathOf(path), 'latin1').toString('utf8');
  for (const mount of await listMounts()) {
    if (isWithin(mount.mountPoint, hostPath)) throw new Refusal('busy', { errno: 'EBUSY' });
  }
}
