import type { TransferOptions } from '../filesystem/progress.ts';

/** Which entries of a tree are left out, on either side. */
export interface IgnoreOptions {
  /** Patterns in the syntax of .gitignore, relative to the directory. @default [] */
  ignore?: readonly string[] | undefined;
  /**
   * Name of a file in the local directory with more patterns; false: none is read.
   * @default '.sandportignore'
   */
  ignoreFile?: string | false | undefined;
}

/** An entry that was left out because it could not be transferred; ignored ones do not count. */
export interface SkippedEntry {
  /** Path below the directory. */
  readonly path: string;
  /** One sentence without its full stop. */
  readonly reason: string;
}

/** What a transfer of a directory did. */
export interface TreeResult {
  /** The directory that was written to. */
  readonly path: string;
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  /** Further names of files that are among `files`. */
  readonly hardLinks: number;
  /** Bytes of file contents. */
  readonly bytes: number;
  /** At most 1,000 of them; `skippedCount` has them all. */
  readonly skipped: readonly SkippedEntry[];
  readonly skippedCount: number;
}

export interface UploadDirOptions extends TransferOptions, IgnoreOptions {
  /** `gzip` pays on slow networks. @default 'none' */
  compression?: 'none' | 'gzip' | undefined;
  /** Give entries their local owner ids. @default false: they belong to the sandbox's user */
  keepOwner?: boolean | undefined;
}

export interface ExtractLimits {
  /** Most entries that are taken. @default 1_000_000 */
  maxEntries?: number | undefined;
  /** Most bytes of file contents that are taken. @default 68_719_476_736 (64 GiB) */
  maxBytes?: number | undefined;
}

export interface DownloadDirOptions extends TransferOptions, IgnoreOptions, ExtractLimits {
  /** Globs that the daemon leaves out: `*`, `?`, `[a-z]`, `{a,b}`, `**`. @default [] */
  exclude?: readonly string[] | undefined;
  /**
   * What becomes of symlinks that are absolute or lead out of the directory: `skip` leaves them out
   * and reports them; `keep` makes them, and whoever follows them gets to where the sandbox chose.
   * @default 'skip'
   */
  unsafeLinks?: 'skip' | 'keep' | undefined;
  /** Replace files and symlinks that are there; false: they are an error. @default true */
  overwrite?: boolean | undefined;
  /** `gzip` pays on slow networks. @default 'none' */
  compression?: 'none' | 'gzip' | undefined;
}
