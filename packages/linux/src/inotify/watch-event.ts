import type { EntryType } from '../rooted-fs/attributes/file-stat.ts';

/** Why a watcher's events are not the whole story. */
export type ResyncReason =
  /** The kernel's queue was full. */
  | 'overflow'
  /** Some directories are not watched. */
  | 'too_many_directories'
  /** Nobody took the events. */
  | 'slow_client';

/**
 * Paths are relative to the watched directory, decoded as UTF-8 with U+FFFD for what is not.
 * `type` is undefined where it cannot be told any more.
 */
export type DirectoryEvent =
  | {
      readonly kind: 'created' | 'modified' | 'removed';
      readonly path: string;
      readonly type: EntryType | undefined;
    }
  | {
      readonly kind: 'renamed';
      readonly path: string;
      readonly from: string;
      readonly type: EntryType | undefined;
    }
  | { readonly kind: 'resync'; readonly reason: ResyncReason }
  /** The directory is gone; the last event. */
  | { readonly kind: 'end' };
