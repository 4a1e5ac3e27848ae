import { existsSync, lstatSync, mkdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import {
  copyLayer,
  createDiskImage,
  errnoOf,
  listMounts,
  mountDiskImage,
  resizeDiskImage,
} from '@sandport/linux';
import { copyKept } from '../commands/kept/copy-kept.ts';
import { deleteDeadTree } from '../sandbox/delete-tree.ts';
import { unmountAside } from '../sandbox/unmount-aside.ts';
import {
  type CloneDiskOptions,
  clonedDirectory,
  type CreateDiskOptions,
  type DiskPlace,
  diskPath,
  type DiskSize,
  DiskSizeError,
  type DiskUsage,
  keptDirectory,
  type Storage,
} from './storage.ts';
import { TreeCounts } from './tree-counts.ts';

/** File system of a disk with a limit. */
export const imagePath = ({ directory }: DiskPlace): string => join(directory, 'disk.img');

/**
 * Disks as plain directories, which works everywhere; with a limit, as the directory that a file
 * system in an image is mounted on. A clone is a copy of the files.
 */
export class OverlayStorage implements Storage {
  readonly kind = 'overlay';
  readonly #counts = new TreeCounts();

  async create(
    place: DiskPlace,
    { sizeBytes, lasting = false }: CreateDiskOptions = {},
  ): Promise<void> {
    const disk = diskPath(place);
    mkdirSync(disk, { mode: 0o700 });
    if (sizeBytes === undefined) return;
    try {
      await createDiskImage({
        file: imagePath(place),
        mountPoint: disk,
        sizeBytes,
        journal: lasting,
      });
    } catch (error) {
      await this.discard(place);
      throw error;
    }
  }

  async clone(
    from: DiskPlace,
    to: DiskPlace,
    { sizeBytes, ...options }: CloneDiskOptions = {},
  ): Promise<void> {
    await this.create(to, { sizeBytes });
    try {
      const target = join(diskPath(to), clonedDirectory);
      mkdirSync(target, { mode: 0o700 });
      const source = join(diskPath(from), clonedDirectory);
      await copyLayer({ from: source, to: target, linksName: 'links', ...options });
      await copyKept(join(diskPath(from), keptDirectory), join(diskPath(to), keptDirectory));
    } catch (error) {
      await this.discard(to);
      throw error;
    }
  }

  async open(place: DiskPlace): Promise<void> {
    if (!existsSync(imagePath(place)) || (await isMounted(diskPath(place)))) return;
    await mountDiskImage({ file: imagePath(place), mountPoint: diskPath(place) });
  }

  async close(place: DiskPlace): Promise<void> {
    if (existsSync(imagePath(place))) await unmountAside(diskPath(place));
  }

  async resize(place: DiskPlace, { sizeBytes }: DiskSize): Promise<void> {
    const file = imagePath(place);
    if (!existsSync(file)) {
      if (sizeBytes === undefined) return;
      throw new DiskSizeError('a disk that was made without a limit cannot get one');
    }
    if (sizeBytes === undefined)
      throw new DiskSizeError('a disk that was made with a limit keeps one');
    const { size } = lstatSync(file);
    if (sizeBytes < size) throw new DiskSizeError('a disk can only grow');
    if (sizeBytes === size) return;
    try {
      await resizeDiskImage({ file, mountPoint: diskPath(place), sizeBytes });
    } catch (error) {
      if (errnoOf(error) !== 'EPERM') throw error;
      throw new DiskSizeError('the daemon lacks the capability CAP_SYS_RESOURCE', { cause: error });
    }
  }

  async usage(place: DiskPlace): Promise<DiskUsage> {
    const disk = diskPath(place);
    if (!existsSync(imagePath(place)))
      return { usedBytes: await this.#counts.count(disk), sizeBytes: undefined };
    const { bsize, blocks, bfree } = statfsSync(disk);
    return { usedBytes: (blocks - bfree) * bsize, sizeBytes: lstatSync(imagePath(place)).size };
  }

  async discard(place: DiskPlace): Promise<void> {
    this.#counts.forget(diskPath(place));
    await this.close(place);
    rmSync(imagePath(place), { force: true });
    await deleteDeadTree(place.directory, 'disk');
  }
}

async function isMounted(path: string): Promise<boolean> {
  return (await listMounts()).some(({ mountPoint }) => mountPoint === path);
}
