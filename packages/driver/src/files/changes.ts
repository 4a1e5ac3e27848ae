import type { FileChange, GuestPath } from '@sandport/protocol';

/** What a sandbox has changed of its template. Volumes are not part of it. */
export interface FileChanges {
  /**
   * In tree order. Of a deleted directory only itself; of an added one also all that is in it.
   * A file whose contents, mode and owner are the template's is no change.
   */
  list(
    path: GuestPath,
    options?: { cursor?: string; signal?: AbortSignal },
  ): AsyncIterable<ListedChange>;
}

export interface ListedChange {
  readonly change: FileChange;
  /** Opaque; a later `list` goes on behind this change. */
  readonly cursor: string;
}
