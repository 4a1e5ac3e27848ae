import { existsSync, lstatSync, mkdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import {
  copyLayer,
  createDiskImage,
  listMounts,
  mountDiskImage,
  resizeDiskImage,
  RootedFs,
} from '@sandport/linux';
import { deleteDeadTree } from '../sandbox/delete-tree.ts';
import { unmountAside } from '../sandbox/unmount-aside.ts';
import {
  type CloneDiskOptions,
  clonedDirectory,
  type DiskPlace,
  diskPath,
  type DiskSize,
  DiskSizeError,
  type DiskUsage,
  type Storage,
} from './storage.ts';

/** File system of a disk with a limit. */
export const imagePath = ({ directory }: DiskPlace): string => join(directory, 'disk.img');

/** Counting a tree takes long: what was counted serves so long, in milliseconds. */
const countedForMs = 5000;
const mostCounted = 10_000;

/**
 * Disks as plain directories, which works everywhere; with a limit, as the directory that a file
 * system in an image is mounted on. A clone is a copy of the files.
 */
export class OverlayStorage implements Storage {
  readonly kind = 'overlay';
  readonly #counted = new Map<string, { atMs: number; bytes: Promise<number> }>();

  async create(place: DiskPlace, { sizeBytes }: DiskSize = {}): Promise<void> {
    const disk = diskPath(place);
    mkdirSync(disk, { mode: 0o700 });
    if (sizeBytes === undefined) return;
    try {
      await createDiskImage({ file: imagePath(place), mountPoint: disk, sizeBytes });
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
    if (sizeBytes > size) await resizeDiskImage({ file, mountPoint: diskPath(place), sizeBytes });
  }

  async usage(place: DiskPlace): Promise<DiskUsage> {
    const disk = diskPath(place);
    if (!existsSync(imagePath(place)))
      return { usedBytes: await this.#count(disk), sizeBytes: undefined };
    const { bsize, blocks, bfree } = statfsSync(disk);
    return { usedBytes: (blocks - bfree) * bsize, sizeBytes: lstatSync(imagePath(place)).size };
  }

  async discard(place: DiskPlace): Promise<void> {
    this.#counted.delete(diskPath(place));
    await this.close(place);
    rmSync(imagePath(place), { force: true });
    await deleteDeadTree(place.directory, 'disk');
  }

  #count(disk: string): Promise<number> {
    const known = this.#counted.get(disk);
    const nowMs = performance.now();
    if (known && nowMs - known.atMs < countedForMs) return known.bytes;
    if (this.#counted.size >= mostCounted) this.#counted.clear();
    // One count at a time: the next one begins some seconds after this one has ended.
    const entry = { atMs: Number.POSITIVE_INFINITY, bytes: countTree(disk) };
    this.#counted.set(disk, entry);
    entry.bytes.then(
      () => (entry.atMs = performance.now()),
      () => this.#counted.delete(disk),
    );
    return entry.bytes;
  }
}

async function countTree(disk: string): Promise<number> {
  using root = RootedFs.open(disk, { hiddenAreas: [] });
  return (await root.usage('/')).diskBytes;
}

async function isMounted(path: string): Promise<boolean> {
  return (await listMounts()).some(({ mountPoint }) => mountPoint === path);
}
