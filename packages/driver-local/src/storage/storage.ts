import { join } from 'node:path';

export const storageKinds = ['overlay', 'btrfs'] as const;
export type StorageKind = (typeof storageKinds)[number];

/** Where one disk belongs: a directory of its owner's, in which its files appear as `disk`. */
export interface DiskPlace {
  /** Trusted path of a directory that exists, on the disk of the data directory. */
  readonly directory: string;
}

export interface DiskUsage {
  readonly usedBytes: number;
  /** Those that it shares with no other disk, where that can be told. */
  readonly ownBytes?: number | undefined;
  /** Undefined: no limit but the disk of the machine. */
  readonly sizeBytes: number | undefined;
}

export interface DiskSize {
  /** Most that it can hold; undefined: no limit. */
  readonly sizeBytes?: number | undefined;
}

export interface CreateDiskOptions extends DiskSize {
  /** True: it must outlive a crash of the machine in good order. @default false */
  readonly lasting?: boolean | undefined;
}

export interface CloneDiskOptions extends DiskSize {
  /** Id on the original that the clone has as 0; what shares its blocks takes 0 only. @default 0 */
  readonly idBase?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Where the files of a disk are, while it is open. */
export const diskPath = ({ directory }: DiskPlace): string => join(directory, 'disk');

/**
 * What a disk keeps in a clone. The kernel's directory of an overlay, `work`, is made afresh by
 * whoever mounts the clone.
 */
export const clonedDirectory = 'upper';

/** What is kept of the commands of a sandbox; a clone has it as well, where it is there. */
export const keptDirectory = 'commands';

/**
 * Disks of sandboxes, snapshots and volumes. What is in them was written by guests: nothing here
 * follows a name in a disk. A disk that is made half, because the daemon ended meanwhile, can be
 * discarded. Every implementation passes `storageConformance`.
 */
export interface Storage {
  readonly kind: StorageKind;

  /** Makes an empty disk and opens it. On an error nothing is left. @throws ENOSPC, EDQUOT */
  create(place: DiskPlace, options?: CreateDiskOptions): Promise<void>;

  /**
   * Makes a disk with a copy of what an open one holds, and opens it. Nobody but the API changes
   * the original meanwhile. On an error nothing is left. @throws ENOSPC, EDQUOT; AbortError
   */
  clone(from: DiskPlace, to: DiskPlace, options?: CloneDiskOptions): Promise<void>;

  /** Opens a disk of before a restart of the machine. Idempotent. */
  open(place: DiskPlace): Promise<void>;

  /** Lets go of it, where it holds something of the machine. Its files stay. Idempotent. */
  close(place: DiskPlace): Promise<void>;

  /** Changes the limit of an open disk. @throws DiskSizeError when that cannot be */
  resize(place: DiskPlace, size: DiskSize): Promise<void>;

  /** Of an open disk. May be some seconds old. */
  usage(place: DiskPlace): Promise<DiskUsage>;

  /** Deletes it, whatever state it is in; nobody uses it any more. Idempotent. */
  discard(place: DiskPlace): Promise<void>;
}

/** A limit that a disk cannot get. The message is for people. */
export class DiskSizeError extends Error {}
