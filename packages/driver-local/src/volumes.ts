import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { VolumeStore } from '@sandport/driver';
import { removeTree } from '@sandport/linux';
import type { Namespace, VolumeName } from '@sandport/protocol';

/** Volumes as directories; ids in them are those of the guests. */
export class LocalVolumes implements VolumeStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async ensure(namespace: Namespace, name: VolumeName): Promise<void> {
    this.dataPath(namespace, name);
  }

  async remove(namespace: Namespace, name: VolumeName): Promise<void> {
    await removeTree(join(this.#directory, namespace), name);
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
