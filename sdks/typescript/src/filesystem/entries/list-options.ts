import type { FileType } from '@sandport/protocol';
import type { SignalOptions } from '../progress.ts';

export interface ListOptions extends SignalOptions {
  /** Also what is below; symlinks are not followed. @default false */
  recursive?: boolean | undefined;
  /** With `recursive`: how many levels; 1 is the directory alone. @default all */
  depth?: number | undefined;
  /**
   * Only entries whose path below the directory matches: `*`, `?`, `[a-z]`, `{a,b}`, and `**` for
   * any directories. One with a slash looks at all levels.
   */
  glob?: string | undefined;
  /** Also names that begin with a dot, and what is in such directories. @default true */
  hidden?: boolean | undefined;
  /** Only entries of this type. */
  type?: FileType | undefined;
  /** With the SHA-256 of every regular file. @default false */
  checksum?: boolean | undefined;
}
