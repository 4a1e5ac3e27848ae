import type { FileChanges, ListedChange } from '@sandport/driver';
import {
  DEFAULT_HIDDEN_AREAS,
  type LayerChange,
  layerChanges,
  type RootedFs,
  RootedFsError,
} from '@sandport/linux';
import { type FileChange, type GuestPath, SandportFault } from '@sandport/protocol';
import { exactName, fileType } from './file-entry.ts';
import { isOfGvisorStart } from '../sandbox/gvisor-root.ts';
import { fileFault } from './file-fault.ts';
import { parseCursor } from './walk-tree.ts';

/** Where the layers of a sandbox's root lie on the host. */
export interface SandboxLayers {
  /** What the sandbox wrote. */
  readonly upper: string;
  /** Root of its template. */
  readonly template: string;
  /** Host id of the guest's id 0 in the upper layer. */
  readonly idBase: number;
}

/** What a sandbox has changed, by the layers of its root. */
export class LayerChanges implements FileChanges {
  readonly #root: RootedFs;
  readonly #layers: SandboxLayers;

  constructor(root: RootedFs, layers: SandboxLayers) {
    this.#root = root;
    this.#layers = layers;
  }

  async *list(
    path: GuestPath,
    { cursor, signal }: { cursor?: string; signal?: AbortSignal } = {},
  ): AsyncGenerator<ListedChange> {
    let exists = false;
    try {
      const located = this.#root.locate(path);
      exists = located.exists;
      const changes = layerChanges({
        upper: this.#layers.upper,
        lower: this.#layers.template,
        idBase: this.#layers.idBase,
        path: located.pathBytes,
        // What lies there in the layers is Sandport's.
        hiddenAreas: DEFAULT_HIDDEN_AREAS,
        signal,
        ...(cursor === undefined ? {} : { after: parseCursor(cursor) }),
      });
      for await (const each of changes)
        if (!this.#isOfSandport(each))
          yield {
            change: fileChange(each),
            cursor: each.pathBytes.subarray(1).toString('base64url'),
          };
    } catch (error) {
      // It is on a volume, or in a layer that shows nothing of it.
      const isElsewhere = error instanceof RootedFsError && error.kind === 'not_found' && exists;
      if (!isElsewhere) throw fileFault(error, path);
    }
  }

  /** The mount points of volumes, and what the start of a sandbox needs in it. */
  #isOfSandport({ change, type, pathBytes }: LayerChange): boolean {
    if (change !== 'added') return false;
    const path = pathBytes.toString();
    try {
      if (type === 'file') return isOfGvisorStart(this.#root, path);
      return type === 'directory' && this.#root.isMountPoint(path);
    } catch {
      return false; // It has gone, or its name is not UTF-8.
    }
  }
}

/** Of files that no template is below of. */
export class NoChanges implements FileChanges {
  list(): never {
    const message = 'A volume has no template that its files could differ from.';
    throw new SandportFault('invalid_request', message);
  }
}

function fileChange({ change, pathBytes, type, size, previousSize }: LayerChange): FileChange {
  const nameBytes = pathBytes.subarray(pathBytes.lastIndexOf('/') + 1);
  return {
    path: pathBytes.toString(),
    ...exactName(nameBytes.toString(), nameBytes),
    change,
    type: fileType(type),
    size,
    ...(previousSize === undefined ? {} : { previous_size: previousSize }),
  };
}
