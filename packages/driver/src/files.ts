import type { FileEntry, GuestPath } from '@sandport/protocol';
import type { Readable, Writable } from 'node:stream';

/**
 * Files of one sandbox, seen from outside it. Paths resolve as they would for a process inside:
 * absolute and relative symlinks and `..` stay below the sandbox's root. Only regular files,
 * directories and symlinks are served. Works on running and on dead sandboxes alike.
 * All methods throw `SandportFault` with the path in its details.
 */
export interface SandboxFiles {
  /**
   * Opens a regular file for reading; follows symlinks.
   * @throws `file_not_found`, `is_directory`, `not_a_directory`, `not_a_regular_file`, `symlink_loop`
   */
  open(path: GuestPath): Promise<OpenFile>;

  /**
   * Begins an atomic write: bytes go to a temporary file beside the target, `commit` renames it.
   * A target that is there keeps its mode and owner; a symlink's target is written, not the link.
   * @throws `is_directory`, `not_a_directory`, `not_a_regular_file`, `read_only`, `disk_full`
   */
  write(path: GuestPath, options?: WriteFileOptions): Promise<FileWriter>;

  /**
   * Entries of a directory, sorted by name byte by byte. Broken symlinks are entries too.
   * @throws `directory_too_large` rather than take memory without bound
   */
  list(path: GuestPath): Promise<readonly FileEntry[]>;

  /** Of what a symlink points at, or with `followSymlinks: false` of the link itself. */
  stat(path: GuestPath, options?: { followSymlinks?: boolean }): Promise<FileEntry>;

  /**
   * Removes a file, a symlink (never its target) or a directory. Never crosses into a volume's
   * mount: removing a mount point, or a directory that holds one, is `path_busy`.
   * @throws `file_not_found`, `directory_not_empty`, `path_busy`, `read_only`
   */
  remove(path: GuestPath, options?: { recursive?: boolean; signal?: AbortSignal }): Promise<void>;

  /** Makes a directory and its parents; no error when it is there. */
  makeDirectory(path: GuestPath, options?: { owner?: FileOwner }): Promise<void>;
}

/** User and group inside the sandbox; undefined owner means the sandbox's default user. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

export interface WriteFileOptions {
  /** Make missing parent directories, owned like the file. @default true */
  readonly createParents?: boolean;
  /** Permission bits of a new file. @default 0o644 */
  readonly mode?: number;
  /** Owner of a new file and of new parents. @default the sandbox's default user */
  readonly owner?: FileOwner;
}

/** A regular file that is open for reading. One file, whatever is renamed meanwhile. */
export interface OpenFile extends AsyncDisposable {
  readonly entry: FileEntry;
  /** Strong validator of these contents: changes whenever the file does. Quoted, as in HTTP. */
  readonly etag: string;
  /**
   * Reads `[start, end)`; the whole file when left out. Ends with an error when the file turns out
   * shorter than its size was. Closes the file at its end.
   */
  stream(range?: { start: number; end: number }): Readable;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** One atomic write under way. Either `commit` or `abort` must be called; disposing aborts. */
export interface FileWriter extends AsyncDisposable {
  /** Takes the bytes. Write errors come as `SandportFault` (`disk_full`). */
  readonly stream: Writable;
  /** After `stream` has finished: makes the file visible. */
  commit(): Promise<{ bytes: number; etag: string }>;
  /** Removes the temporary file; the old file is untouched. Idempotent. */
  abort(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
