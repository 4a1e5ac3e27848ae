import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import {
  createSubvolume,
  deleteSubvolume,
  enableQuota,
  errnoOf,
  limitSubvolume,
  removeTree,
  snapshotSubvolume,
  subvolumeUsage,
} from '@sandport/linux';
import {
  type CloneDiskOptions,
  type CreateDiskOptions,
  type DiskPlace,
  diskPath,
  type DiskSize,
  DiskSizeError,
  type DiskUsage,
  type Storage,
} from './storage.ts';
import { syncFiles } from './sync-files.ts';
import { TreeCounts } from './tree-counts.ts';

/** How old the numbers of a usage may be, in milliseconds. */
const countsServeMs = 5000;

/**
 * Disks as subvolumes of a pool; in the place of its owner lies a link to it, which is there before
 * the subvolume: what no link leads to is nobody's. A clone shares all blocks with its original and
 * is made in a time that does not depend on what is in it.
 */
export class BtrfsStorage implements Storage {
  readonly kind = 'btrfs';
  readonly #pool: string;
  readonly #counts = new TreeCounts();
  #hasQuota: Promise<void> | undefined;
  /** Names of disks that are known to have no limit, which a clone would begin with. */
  readonly #unlimited = new Set<string>();
  #freshUntilMs = 0;

  /** @param pool trusted path of a directory on btrfs, for nothing but disks */
  constructor(pool: string) {
    this.#pool = pool;
  }

  async create(place: DiskPlace, options: CreateDiskOptions = {}): Promise<void> {
    await this.#make(place, options, true, createSubvolume);
  }

  async clone(
    from: DiskPlace,
    to: DiskPlace,
    { signal, idBase = 0, ...size }: CloneDiskOptions = {},
  ): Promise<void> {
    signal?.throwIfAborted();
    const source = this.#subvolumeOf(from);
    if (source === undefined || idBase !== 0)
      throw new Error(`no disk that can be shared lies at ${from.directory}`);
    const isUnlimited = this.#unlimited.has(basename(source));
    await this.#make(to, size, isUnlimited, (target) => snapshotSubvolume(source, target));
  }

  async open(): Promise<void> {}

  async close(): Promise<void> {}

  async resize(place: DiskPlace, { sizeBytes }: DiskSize): Promise<void> {
    if (sizeBytes !== undefined) {
      await syncFiles(this.#pool);
      const { usedBytes } = await this.usage(place);
      if (usedBytes > sizeBytes)
        throw new DiskSizeError(`the disk holds ${Math.ceil(usedBytes / 2 ** 20)} MiB`);
    }
    const subvolume = this.#subvolumeOf(place);
    if (subvolume !== undefined) this.#unlimited.delete(basename(subvolume));
    await this.#limit(diskPath(place), sizeBytes);
  }

  async usage(place: DiskPlace): Promise<DiskUsage> {
    const disk = diskPath(place);
    const usage = await subvolumeUsage(disk);
    if (usage === undefined)
      return { usedBytes: await this.#counts.count(disk), sizeBytes: undefined };
    this.#keepFresh();
    const { referencedBytes, exclusiveBytes, limitBytes } = usage;
    return { usedBytes: referencedBytes, ownBytes: exclusiveBytes, sizeBytes: limitBytes };
  }

  async discard(place: DiskPlace): Promise<void> {
    this.#counts.forget(diskPath(place));
    const subvolume = this.#subvolumeOf(place);
    if (subvolume !== undefined) await this.deleteEntry(basename(subvolume));
    rmSync(diskPath(place), { force: true });
  }

  /** Deletes an entry of the pool. Idempotent. */
  async deleteEntry(name: string): Promise<void> {
    const path = join(this.#pool, name);
    this.#unlimited.delete(name);
    if (!isThere(path)) return;
    try {
      await deleteSubvolume(path);
    } catch {
      // One that was made half, or that a kernel lets go of only when it is empty.
      await removeTree(this.#pool, name);
    }
  }

  async #make(
    place: DiskPlace,
    { sizeBytes }: DiskSize,
    isUnlimited: boolean,
    make: (subvolume: string) => Promise<void>,
  ): Promise<void> {
    const subvolume = join(this.#pool, `disk-${randomBytes(12).toString('hex')}`);
    symlinkSync(relative(place.directory, subvolume), diskPath(place));
    try {
      await make(subvolume);
      chmodSync(subvolume, 0o700);
      if (sizeBytes !== undefined) await this.#limit(subvolume, sizeBytes);
      else {
        if (!isUnlimited) await removeLimit(subvolume);
        this.#unlimited.add(basename(subvolume));
      }
    } catch (error) {
      await this.discard(place);
      throw error;
    }
  }

  async #limit(subvolume: string, sizeBytes: number | undefined): Promise<void> {
    await this.#enableQuota();
    await limitSubvolume(subvolume, sizeBytes);
  }

  /** Not before somebody needs it: it is a property of the whole file system. */
  #enableQuota(): Promise<void> {
    this.#hasQuota ??= enableQuota(this.#pool).catch((error: unknown) => {
      this.#hasQuota = undefined;
      throw error;
    });
    return this.#hasQuota;
  }

  /** What is not on the disk yet is not counted; the kernel would take half a minute. */
  #keepFresh(): void {
    if (performance.now() < this.#freshUntilMs) return;
    this.#freshUntilMs = performance.now() + countsServeMs;
    syncFiles(this.#pool).catch(() => {});
  }

  #subvolumeOf(place: DiskPlace): string | undefined {
    const target = poolEntryOf(place);
    return target === undefined ? undefined : join(this.#pool, target);
  }
}

/** A clone begins with the limit of its original. */
async function removeLimit(subvolume: string): Promise<void> {
  try {
    await limitSubvolume(subvolume, undefined);
  } catch (error) {
    // Without the accounting no disk has a limit.
    if ((await subvolumeUsage(subvolume))?.limitBytes !== undefined) throw error;
  }
}

/** Name in the pool of the disk at a place; undefined when that is no link. */
export function poolEntryOf(place: DiskPlace): string | undefined {
  try {
    return basename(resolve(place.directory, readlinkSync(diskPath(place))));
  } catch (error) {
    if (['ENOENT', 'EINVAL'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
