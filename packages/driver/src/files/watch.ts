import type { FileType } from '@sandport/protocol';

export interface WatchOptions {
  /** Also all directories below, new ones too. @default true */
  readonly recursive?: boolean;
}

export type WatchEvent =
  | {
      /**
       * Of a directory that is `created` all entries follow, and what was known below it does not
       * count any more. What is `modified` or at the end of `renamed` may be new to the reader.
       */
      readonly kind: 'created' | 'modified' | 'removed';
      /** Absolute path in the sandbox. */
      readonly path: string;
      /** Undefined where it cannot be told any more. */
      readonly type?: FileType;
    }
  | {
      readonly kind: 'renamed';
      readonly path: string;
      readonly from: string;
      readonly type?: FileType;
    }
  /** Events were lost, or directories are not watched. */
  | {
      readonly kind: 'resync';
      readonly reason: 'overflow' | 'too_many_directories' | 'slow_client';
    }
  /** The watched directory is gone; nothing follows. */
  | { readonly kind: 'end' };

/**
 * What happens in a directory from the moment on in which `watch` has resolved. Iterated once; events
 * wait while nobody asks, and become one `resync` when there are too many.
 */
export interface FileWatcher extends AsyncIterable<WatchEvent>, Disposable {
  close(): void;
}
