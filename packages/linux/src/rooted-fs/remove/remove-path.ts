import { closeSync } from 'node:fs';
import { type ByteString } from '../../ffi/byte-string.ts';
import { listMounts } from '../../mounts/list-mounts.ts';
import { SystemError } from '../../ffi/system-error.ts';
import { statEntry } from '../attributes/entry.ts';
import { findPlace } from '../paths/entry-place.ts';
import { isWithin } from '../paths/guest-path.ts';
import { type RemoveTreeOptions, removeEntry } from './remove-tree.ts';
import type { RootDirectory } from '../paths/root-directory.ts';
import { Refusal } from '../rooted-fs-error.ts';
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
  const place = findPlace(root, path, undefined);
  const { directory, name, path: normal } = place;
  try {
    const entry = statEntry(directory, name);
    if (entry === undefined) throw new SystemError('ENOENT', 'unlinkat');
    if (place.mustBeDirectory && entry.type !== 'directory')
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

/** Refuses a tree with a mount before anything of it is removed. @throws Refusal `busy` */
export async function refuseMounts(root: RootDirectory, path: ByteString): Promise<void> {
  const hostPath = Buffer.from(root.hostPathOf(path), 'latin1').toString('utf8');
  for (const mount of await listMounts()) {
    if (isWithin(mount.mountPoint, hostPath)) throw new Refusal('busy', { errno: 'EBUSY' });
  }
}
