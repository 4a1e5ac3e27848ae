import { existsSync } from 'node:fs';
import type { BtrfsStorage } from './btrfs-storage.ts';
import { poolEntryOf } from './btrfs-storage.ts';
import { OverlayStorage } from './overlay-storage.ts';
import {
  type CloneDiskOptions,
  type CreateDiskOptions,
  type DiskPlace,
  diskPath,
  type DiskSize,
  type DiskUsage,
  type Storage,
  type StorageKind,
} from './storage.ts';

/** All disks of one driver, whichever storage each of them lies on. */
export class Disks implements Omit<Storage, 'kind'> {
  readonly #overlay: Storage = new OverlayStorage();
  readonly #btrfs: BtrfsStorage | undefined;
  readonly #preferred: Storage;

  /** @param preferred storage of new disks */
  constructor(btrfs?: BtrfsStorage, preferred: StorageKind = btrfs?.kind ?? 'overlay') {
    this.#btrfs = btrfs;
    this.#preferred = preferred === 'btrfs' && btrfs !== undefined ? btrfs : this.#overlay;
  }

  /** Storage of new disks. */
  get preferred(): StorageKind {
    return this.#preferred.kind;
  }

  create(place: DiskPlace, options?: CreateDiskOptions): Promise<void> {
    return this.#preferred.create(place, options);
  }

  /** The clone lies on the same storage as the original. */
  async clone(from: DiskPlace, to: DiskPlace, options?: CloneDiskOptions): Promise<void> {
    return this.#storageOf(from).clone(from, to, options);
  }

  async open(place: DiskPlace): Promise<void> {
    await this.#storageOf(place).open(place);
  }

  async close(place: DiskPlace): Promise<void> {
    await this.#storageOf(place).close(place);
  }

  async resize(place: DiskPlace, size: DiskSize): Promise<void> {
    await this.#storageOf(place).resize(place, size);
  }

  async usage(place: DiskPlace): Promise<DiskUsage> {
    return this.#storageOf(place).usage(place);
  }

  async discard(place: DiskPlace): Promise<void> {
    await this.#storageOf(place).discard(place);
  }

  /** Whether there is a disk with files. */
  isThere(place: DiskPlace): boolean {
    return existsSync(diskPath(place));
  }

  /** What a disk is says where it lies: nothing else has to be remembered, or to be believed. */
  #storageOf(place: DiskPlace): Storage {
    if (poolEntryOf(place) === undefined) return this.#overlay;
    if (this.#btrfs === undefined)
      throw new Error(`the disk in ${place.directory} lies in a btrfs pool, which is not there`);
    return this.#btrfs;
  }
}
