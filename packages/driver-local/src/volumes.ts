import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxFiles, SandboxSpec, VolumeStore, VolumeUsage } from '@sandport/driver';
import { RootedFs, RootedFsError } from '@sandport/linux';
import { type Namespace, SandportFault, type VolumeName } from '@sandport/protocol';
import { NoChanges } from './files/changes.ts';
import { RootedSandboxFiles } from './files/sandbox-files.ts';
import type { Layout } from './layout.ts';
import { deleteDeadTree } from './sandbox/delete-tree.ts';
import type { Disks } from './storage/disks.ts';
import { moveToTrash } from './storage/places.ts';
import { type DiskPlace, diskPath } from './storage/storage.ts';
import { TreeCounts } from './storage/tree-counts.ts';

/** Who owns what is written without a sandbox: the user of the templates that come with Sandport. */
const usualOwner = { uid: 1000, gid: 1000 };

interface OpenVolume {
  readonly root: RootedFs;
  readonly files: SandboxFiles;
}

/**
 * Volumes; ids in them are those of the guests. One without a limit is a plain directory where the
 * storage shares the disk of the machine anyway, any other has a disk of its own.
 */
export class LocalVolumes implements VolumeStore {
  readonly #layout: Layout;
  readonly #disks: Disks;
  readonly #counts = new TreeCounts();
  readonly #open = new Map<string, OpenVolume>();
  /** Directories of those whose disks are open. */
  readonly #seen = new Set<string>();
  /** The last thing that is done to a volume; the next one begins after it. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(layout: Layout, disks: Disks) {
    this.#layout = layout;
    this.#disks = disks;
  }

  async ensure(
    namespace: Namespace,
    name: VolumeName,
    { sizeBytes }: { readonly sizeBytes?: number | undefined } = {},
  ): Promise<void> {
    await this.#inTurn(namespace, name, async () => {
      try {
        await this.#ensure(this.#place(namespace, name), sizeBytes);
      } catch (error) {
        const isFull = /ENOSPC|EDQUOT|no space left/i.test(String(error));
        if (!isFull) throw error;
        const message = `The disk is full; the volume "${name}" was not made.`;
        throw new SandportFault('disk_full', message, {}, { cause: error });
      }
    });
  }

  async files(namespace: Namespace, name: VolumeName): Promise<SandboxFiles> {
    await this.ensure(namespace, name);
    const place = this.#place(namespace, name);
    const { directory } = place;
    const open = this.#open.get(directory) ?? openVolume(directory, dataOf(place));
    this.#open.set(directory, open);
    return open.files;
  }

  async usage(namespace: Namespace, name: VolumeName): Promise<VolumeUsage> {
    await this.ensure(namespace, name);
    const place = this.#place(namespace, name);
    if (this.#disks.isThere(place)) return this.#disks.usage(place);
    return { usedBytes: await this.#counts.count(dataOf(place)) };
  }

  async remove(namespace: Namespace, name: VolumeName): Promise<void> {
    await this.#inTurn(namespace, name, async () => {
      const { directory } = this.#place(namespace, name);
      this.#open.get(directory)?.root.close();
      this.#open.delete(directory);
      this.#seen.delete(directory);
      if (!existsSync(directory)) return;
      await this.#discard(directory);
    });
  }

  /** Directory with the files of a volume that {@link ensure} has seen. */
  dataPath(namespace: Namespace, name: VolumeName): string {
    return dataOf(this.#place(namespace, name));
  }

  /** Ends the file access, and lets go of the disks that no sandbox mounts. */
  async close(users: readonly Pick<SandboxSpec, 'namespace' | 'volumes'>[]): Promise<void> {
    await Promise.allSettled(this.#turns.values());
    for (const { root } of this.#open.values()) root.close();
    this.#open.clear();
    const used = users.flatMap(({ namespace, volumes }) =>
      volumes.map(({ name }) => this.#place(namespace, name).directory),
    );
    for (const directory of this.#seen)
      if (!used.includes(directory)) await this.#disks.close({ directory });
  }

  #place(namespace: Namespace, name: VolumeName): DiskPlace {
    return { directory: join(this.#layout.volumes, namespace, name) };
  }

  async #ensure(place: DiskPlace, sizeBytes: number | undefined): Promise<void> {
    const { directory } = place;
    if (isMade(place)) {
      await this.#disks.open(place);
      this.#seen.add(directory);
      if (existsSync(dataOf(place))) return;
      throw new Error(`the files of the volume in ${directory} are missing`);
    }
    // What lies here is of a daemon that ended while it made the volume: nobody has seen it.
    if (existsSync(directory)) await this.#discard(directory);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (sizeBytes !== undefined || this.#disks.preferred === 'btrfs')
      await this.#disks.create(place, { sizeBytes, lasting: true });
    const data = dataOf(place);
    const unfinished = `${data}.new`;
    mkdirSync(unfinished);
    // Nothing says which user of which guest will use it.
    chmodSync(unfinished, 0o777);
    renameSync(unfinished, data);
    writeFileSync(markOf(place), '');
    this.#seen.add(directory);
  }

  async #discard(directory: string): Promise<void> {
    const { trash } = this.#layout;
    const entry = moveToTrash(directory, trash);
    await this.#disks.discard({ directory: join(trash, entry) });
    await deleteDeadTree(trash, entry);
  }

  async #inTurn<T>(namespace: Namespace, name: VolumeName, task: () => Promise<T>): Promise<T> {
    const key = `${namespace}/${name}`;
    const turn = (this.#turns.get(key) ?? Promise.resolve()).catch(() => {}).then(task);
    this.#turns.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }
}

/** Says that the volume is complete; those of the first release have their files only. */
const markOf = ({ directory }: DiskPlace): string => join(directory, 'made');

const isMade = (place: DiskPlace): boolean =>
  existsSync(markOf(place)) || existsSync(join(place.directory, 'data'));

/** Where the files are: below the root of its disk, in which a file system may keep its own. */
function dataOf(place: DiskPlace): string {
  const disk = diskPath(place);
  return join(existsSync(disk) ? disk : place.directory, 'data');
}

function openVolume(directory: string, data: string): OpenVolume {
  const root = RootedFs.open(data, {
    hiddenAreas: [],
    notesDirectory: join(directory, 'copies'),
  });
  // What a copy left that the end of the last daemon cut off; it is in nobody's way.
  root.removeUnfinished().catch((error: unknown) => {
    if (!(error instanceof RootedFsError)) throw error;
  });
  return {
    root,
    files: new RootedSandboxFiles({ root, owner: usualOwner, changes: new NoChanges() }),
  };
}
