import { closeSync } from 'node:fs';
import { O_PATH } from '../../ffi/constants.ts';
import { statDescriptor } from '../attributes/entry.ts';
import type { EntryType } from '../attributes/file-stat.ts';
import { parsePath } from '../paths/guest-path.ts';
import type { IdMapping } from '../attributes/id-mapping.ts';
import type { RootDirectory } from '../paths/root-directory.ts';
import { rootedFsErrorOf } from '../rooted-fs-error.ts';
import { walkTree } from './walk-tree.ts';

/** What a tree holds. */
export interface TreeUsage {
  readonly files: number;
  /** Those below the path. */
  readonly directories: number;
  readonly symlinks: number;
  readonly others: number;
  /** Lengths of regular files; of several names of one file once. */
  readonly sizeBytes: number;
  /** Blocks on the disk, of everything. */
  readonly diskBytes: number;
}

/** Files with several names that are remembered; of more, some are counted once a name. */
const MAX_LINKED = 500_000;

/** Adds up a file, or a directory with all that is below it. @throws RootedFsError; AbortError */
export async function measureTree(
  root: RootDirectory,
  ids: IdMapping,
  path: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<TreeUsage> {
  const counts: Record<EntryType, number> = {
    file: 0,
    directory: 0,
    symlink: 0,
    fifo: 0,
    socket: 0,
    character_device: 0,
    block_device: 0,
  };
  let sizeBytes = 0n;
  let diskBytes = 0n;
  const linked = new Set<string>();
  const isFurtherName = (identity: string, nlink: number): boolean => {
    if (nlink < 2) return false;
    if (linked.has(identity)) return true;
    if (linked.size < MAX_LINKED) linked.add(identity);
    return false;
  };
  try {
    const fd = root.open(parsePath(path), O_PATH);
    try {
      const top = statDescriptor(fd);
      diskBytes = top.diskBytes;
      if (top.type !== 'directory') counts[top.type]++;
      if (top.type === 'file') sizeBytes = top.size;
      if (top.type !== 'directory') return total();
    } finally {
      closeSync(fd);
    }
    for await (const { stat, identity, diskBytes: blocks } of walkTree(root, path, ids, options)) {
      counts[stat.type]++;
      if (stat.type !== 'directory' && isFurtherName(identity, stat.nlink)) continue;
      if (stat.type === 'file') sizeBytes += BigInt(stat.size);
      diskBytes += blocks;
    }
    return total();
  } catch (error) {
    throw rootedFsErrorOf(error, path);
  }

  function total(): TreeUsage {
    const { file, directory, symlink, fifo, socket, character_device, block_device } = counts;
    return {
      files: file,
      directories: directory,
      symlinks: symlink,
      others: fifo + socket + character_device + block_device,
      sizeBytes: inRange(sizeBytes),
      diskBytes: inRange(diskBytes),
    };
  }
}

/** Sparse files of a guest can add up to more than a number holds. */
const inRange = (bytes: bigint): number => Math.min(Number(bytes), Number.MAX_SAFE_INTEGER);
