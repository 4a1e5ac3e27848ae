import { existsSync, mkdirSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  createBtrfsImage,
  enableQuota,
  findProgram,
  growBtrfsImage,
  isOnBtrfs,
  listMounts,
  mountBtrfsImage,
  runProgram,
} from '@sandport/linux';
import { BtrfsStorage, poolEntryOf } from './btrfs-storage.ts';
import { Disks } from './disks.ts';

export interface StorageOptions {
  /** `auto` is `btrfs` where the data directory lies on btrfs, else `overlay`. @default 'auto' */
  readonly storage?: 'auto' | 'overlay' | 'btrfs' | undefined;
  /**
   * Most that the pool holds, where the data directory is not on btrfs. It takes room as it fills.
   * A pool that is there can grow, not shrink. @default four fifths of the free room
   */
  readonly poolBytes?: number | undefined;
}

/** A smaller btrfs is not worth its own tables. */
const smallestPoolBytes = 512 * 1024 * 1024;

export const poolDirectory = (dataDir: string): string => join(dataDir, 'pool');
const poolImage = (dataDir: string): string => join(dataDir, 'pool.img');

/**
 * Opens the disks of a data directory: those that new sandboxes get, and those of before, whichever
 * storage was asked for then.
 * @throws Error with a sentence for people when btrfs is asked for and cannot be
 */
export async function openDisks(dataDir: string, options: StorageOptions = {}): Promise<Disks> {
  const { storage = 'auto' } = options;
  const isNative = await isOnBtrfs(dataDir);
  const preferred = storage === 'auto' ? (isNative ? 'btrfs' : 'overlay') : storage;
  const pool = poolDirectory(dataDir);
  const isThere = existsSync(isNative ? pool : poolImage(dataDir));
  if (preferred === 'overlay' && !isThere) return new Disks();
  for (const program of ['btrfs', 'mkfs.btrfs'])
    if (findProgram(program) === undefined)
      throw new Error(
        `disks on btrfs need the program ${program}: run apt-get install btrfs-progs, or choose --storage overlay`,
      );
  mkdirSync(pool, { recursive: true, mode: 0o700 });
  if (!isNative) await mountPool(dataDir, options);
  return new Disks(new BtrfsStorage(pool), preferred);
}

/** Takes the pool's mount away where nothing uses it; sandboxes that run keep it. */
export async function closePool(dataDir: string): Promise<void> {
  const pool = poolDirectory(dataDir);
  if (!(await isMounted(pool))) return;
  await runProgram('umount', ['--', pool]).catch(() => undefined);
}

/**
 * Deletes the disks in the pool that no owner has, as of a daemon that ended half-way.
 * @param owners places of all disks that somebody may have
 */
export async function collectDisks(
  dataDir: string,
  owners: readonly { readonly directory: string }[],
): Promise<void> {
  const pool = poolDirectory(dataDir);
  if (!existsSync(pool)) return;
  const owned = new Set(owners.map(poolEntryOf));
  const storage = new BtrfsStorage(pool);
  for (const name of readdirSync(pool))
    if (name.startsWith('disk-') && !owned.has(name)) await storage.deleteEntry(name);
}

async function mountPool(dataDir: string, { poolBytes }: StorageOptions): Promise<void> {
  const file = poolImage(dataDir);
  const pool = poolDirectory(dataDir);
  if (!existsSync(file)) {
    const { bavail, bsize } = statfsSync(dataDir);
    const sizeBytes = roundDown(poolBytes ?? bavail * bsize * 0.8);
    if (sizeBytes < smallestPoolBytes)
      throw new Error(
        `a pool for disks needs at least ${smallestPoolBytes / 2 ** 20} MiB on the disk of ${dataDir}`,
      );
    await createBtrfsImage({ file, sizeBytes });
  }
  if (!(await isMounted(pool))) await mountBtrfsImage(file, pool);
  await enableQuota(pool);
  const wanted = poolBytes === undefined ? 0 : roundDown(poolBytes);
  if (wanted > statSync(file).size) await growBtrfsImage({ file, sizeBytes: wanted }, pool);
}

const mebibyte = 1024 * 1024;
const roundDown = (bytes: number): number => Math.floor(bytes / mebibyte) * mebibyte;

async function isMounted(path: string): Promise<boolean> {
  return (await listMounts()).some(({ mountPoint }) => mountPoint === path);
}
