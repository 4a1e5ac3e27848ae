import type { FileChanges, ListedChange } from '@sandport/driver';
import type { GuestPath } from '@sandport/protocol';

/** Where the layers of a sandbox's root lie on the host. */
export interface SandboxLayers {
  /** What the sandbox wrote. */
  readonly upper: string;
  /** Root of its template. */
  readonly template: string;
  /** Host id of the guest's id 0 in the upper layer. */
  readonly idBase: number;
}

export class LayerChanges implements FileChanges {
  constructor(_layers: SandboxLayers) {}

  list(_path: GuestPath): AsyncIterable<ListedChange> {
    throw new Error('list');
  }
}
