import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxFiles, VolumeStore, VolumeUsage } from '@sandport/driver';
import { errnoOf } from '@sandport/linux';
import { type Namespace, SandportFault, type VolumeName } from '@sandport/protocol';
import { deleteDeadTree } from './sandbox/delete-tree.ts';

/** Volumes as directories; ids in them are those of the guests. */
export class LocalVolumes implements VolumeStore {
  readonly #directory: string;
  readonly #trash: string;

  /** @param trash where removed volumes wait for their deletion; on the same file system */
  constructor(directory: string, trash: string) {
    this.#directory = directory;
    this.#trash = trash;
  }

  async ensure(namespace: Namespace, name: VolumeName): Promise<void> {
    this.dataPath(namespace, name);
  }

  async files(): Promise<SandboxFiles> {
    throw new SandportFault('internal', 'The driver cannot do this yet.');
  }

  async usage(): Promise<VolumeUsage> {
    throw new SandportFault('internal', 'The driver cannot do this yet.');
  }

  async remove(namespace: Namespace, name: VolumeName): Promise<void> {
    const entry = `volume-${randomBytes(8).toString('hex')}`;
    try {
      renameSync(join(this.#directory, namespace, name), join(this.#trash, entry));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return;
      throw error;
    }
    await deleteDeadTree(this.#trash, entry);
  }

  /**
   * Directory with the volume's files, made when it is missing: writable for every user of the
   * guests, as nothing says which of them will use it.
   */
  dataPath(namespace: Namespace, name: VolumeName): string {
    const data = join(this.#directory, namespace, name, 'data');
    const made = mkdirSync(data, { recursive: true, mode: 0o700 });
    if (made !== undefined) chmodSync(data, 0o777);
    return data;
  }
}
