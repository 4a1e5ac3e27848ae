import type { DiskUsage, FileEntry, GuestPath } from '@sandport/protocol';
import type { FileChanges } from './changes.ts';
import type { FileSystemSpace, HeldFile, HoldFileOptions } from './held-file.ts';
import type {
  FileOwner,
  FileWriter,
  OpenFile,
  PatchFileOptions,
  WriteFileOptions,
} from './open-file.ts';
import type { StagedFiles } from './staged-file.ts';
import type { TreeWriter, TreeWriterOptions, WalkedEntry, WalkOptions } from './trees.ts';
import type { FileWatcher, WatchOptions } from './watch.ts';

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
   * A symlink's target is written, not the link.
   * @throws `is_directory`, `not_a_directory`, `not_a_regular_file`, `read_only`, `disk_full`,
   * `precondition_failed` (here or in `commit`)
   */
  write(path: GuestPath, options?: WriteFileOptions): Promise<FileWriter>;

  /**
   * Begins a change in place: the bytes are collected in a temporary file, and `commit` puts them
   * into the file that is there (made when it is missing). On an error, a full disk too, an append
   * leaves the file as it was. Patches of one file come one after the other.
   * @throws as `write`
   */
  patch(path: GuestPath, options?: PatchFileOptions): Promise<FileWriter>;

  /**
   * Opens a regular file to be read and written in place; follows symlinks. The caller closes it.
   * @throws as `write`; `already_exists`, `file_not_found`
   */
  hold(path: GuestPath, options?: HoldFileOptions): Promise<HeldFile>;

  /** Where a path leads, without symlinks, `.` and `..`; what does not exist is added as it stands. */
  realPath(path: GuestPath): Promise<string>;

  /** Of the file system that a path leads to. */
  space(path: GuestPath): Promise<FileSystemSpace>;

  /** Of what a symlink points at, or with `followSymlinks: false` of the link itself. With `etag`. */
  stat(path: GuestPath, options?: { followSymlinks?: boolean }): Promise<FileEntry>;

  /**
   * Entries of a directory, or of all below it, in tree order: each directory sorted by name byte
   * by byte, a directory before what is in it. Never follows symlinks. Memory does not grow with
   * the number of entries. What vanishes meanwhile is left out.
   */
  walk(path: GuestPath, options?: WalkOptions): AsyncIterable<WalkedEntry>;

  /**
   * Removes a file, a symlink (never its target) or a directory. Never crosses into a volume's
   * mount: removing a mount point, or a directory that holds one, is `path_busy`.
   * @throws `file_not_found`, `directory_not_empty`, `path_busy`, `read_only`
   */
  remove(path: GuestPath, options?: { recursive?: boolean; signal?: AbortSignal }): Promise<void>;

  /**
   * Makes a directory and its parents; no error when it is there. @param options.mode 0o755
   * @param options.exclusive false; true: it must be new (`already_exists`), its parent must be there
   */
  makeDirectory(
    path: GuestPath,
    options?: { owner?: FileOwner; mode?: number; exclusive?: boolean },
  ): Promise<void>;

  /**
   * Renames; a symlink itself is moved; parents are made. Between file systems it copies and then
   * removes the source.
   * @throws `already_exists` without `overwrite`; `is_directory` when a file would replace a
   * directory; `directory_not_empty`; `path_busy` at mounts; `invalid_path` into itself
   */
  move(from: GuestPath, to: GuestPath, options?: TransferOptions): Promise<void>;

  /**
   * Copies what `from` leads to, a directory with all below it: modes, owners, times and symlinks
   * are kept, FIFOs, sockets and devices left out. Appears whole or not at all.
   * @throws `already_exists` without `overwrite`, and always when a directory is copied to where
   * something is; `is_directory`
   */
  copy(from: GuestPath, to: GuestPath, options?: TransferOptions): Promise<void>;

  /** Follows a symlink at `path`, none below it. @returns how many entries were set */
  chmod(path: GuestPath, mode: number, options?: RecursiveOptions): Promise<number>;

  /** @returns how many entries were set */
  chown(
    path: GuestPath,
    owner: Partial<FileOwner>,
    options?: RecursiveOptions & { followSymlinks?: boolean },
  ): Promise<number>;

  /** Makes a symlink; parents are made. @throws `already_exists`, `is_directory` */
  symlink(path: GuestPath, target: string, options?: { overwrite?: boolean }): Promise<void>;

  /**
   * Gives a regular file, never what a symlink leads to, one more name; no parents are made.
   * @throws `already_exists`, `is_directory`, `not_a_regular_file`; `permission_denied` from one
   * volume to another
   */
  hardLink(from: GuestPath, to: GuestPath): Promise<void>;

  /**
   * Sets the time of the last change; follows symlinks.
   * @param options.mtimeNs nanoseconds since 1970; now @param options.create true
   */
  touch(path: GuestPath, options?: { mtimeNs?: bigint; create?: boolean }): Promise<void>;

  diskUsage(path: GuestPath, options?: { signal?: AbortSignal }): Promise<DiskUsage>;

  /**
   * Begins to write a directory tree entry by entry, as an archive lists it. The directory at
   * `path` is made when it is missing.
   */
  writeTree(path: GuestPath, options?: TreeWriterOptions): Promise<TreeWriter>;

  /** @throws `limit_reached` when the kernel has no more watches */
  watch(path: GuestPath, options?: WatchOptions): Promise<FileWatcher>;

  /** What differs from the template. */
  readonly changes: FileChanges;

  /** Files that are written in several requests. */
  readonly staged: StagedFiles;
}

export interface TransferOptions {
  /** Replace what is at the target. @default false */
  readonly overwrite?: boolean;
  readonly signal?: AbortSignal;
}

export interface RecursiveOptions {
  /** Also everything below; symlinks there are not followed. @default false */
  readonly recursive?: boolean;
  readonly signal?: AbortSignal;
}
