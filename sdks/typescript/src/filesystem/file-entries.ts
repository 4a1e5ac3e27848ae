import { fileEntrySchema } from '@sandport/protocol';
import { SandportError } from '../errors/sandport-error.ts';
import { type ChangesOptions, changeEntries, type FileChange } from './entries/changes.ts';
import { type FileInfo, fileInfo } from './entries/file-info.ts';
import type { ListOptions } from './entries/list-options.ts';
import { entries, list } from './entries/list.ts';
import {
  chmod,
  type ChmodOptions,
  chown,
  type ChownOptions,
  diskUsage,
  type DiskUsage,
  makeDirectory,
  type MakeDirectoryOptions,
  type NewOwner,
  type OverwriteOptions,
  symlink,
  touch,
  type TouchOptions,
  transferPath,
} from './entries/manage.ts';
import { walk, type WalkStep } from './entries/walk.ts';
import { FileContents } from './file-contents.ts';
import { guestPath } from './files-api.ts';
import type { SignalOptions } from './progress.ts';
import { watch, type FileWatch, type WatchOptions } from './watch/watch.ts';

export interface StatOptions extends SignalOptions {
  /** False: of a symlink itself. @default true */
  followSymlinks?: boolean | undefined;
}

export interface RemoveOptions extends SignalOptions {
  /** Remove a directory with all that is in it. @default false */
  recursive?: boolean | undefined;
  /** False: a path that does not exist is no error. @default true */
  mustExist?: boolean | undefined;
}

/** The entries of directories: listed, changed, watched. */
export class FileEntries extends FileContents {
  /**
   * Entries of a directory, with `recursive` of all below it: sorted by name byte by byte, a
   * directory before what is in it. For trees that do not fit into memory use `entries`.
   */
  list(path = '/', options: ListOptions = {}): Promise<FileInfo[]> {
    return list(this.api, path, options);
  }

  /** The same entries one by one, however many there are. */
  entries(path = '/', options: ListOptions = {}): AsyncGenerator<FileInfo, void, undefined> {
    return entries(this.api, path, options);
  }

  /**
   * Entries whose path below `options.path` matches: `*`, `?`, `[a-z]`, `{a,b}`, and `**` for any
   * directories.
   * @throws BadRequestError `invalid_pattern`
   */
  glob(
    pattern: string,
    options: Omit<ListOptions, 'glob'> & { path?: string | undefined } = {},
  ): Promise<FileInfo[]> {
    const { path = '/', ...rest } = options;
    return list(this.api, path, {
      recursive: pattern.includes('/') || undefined,
      ...rest,
      glob: pattern,
    });
  }

  /** Goes through a directory tree, parents before children; symlinks are not followed. */
  walk(path = '/', options: SignalOptions = {}): AsyncGenerator<WalkStep, void, undefined> {
    return walk((directory) => this.list(directory, options), path);
  }

  /** What is at a path. */
  async stat(path: string, options: StatOptions = {}): Promise<FileInfo> {
    const query = {
      path: guestPath(path),
      follow_symlinks: options.followSymlinks === false ? false : undefined,
    };
    return fileInfo(await this.api.get('/stat', query, fileEntrySchema, options));
  }

  /** True when something is at the path; a symlink to nothing counts as nothing. */
  async exists(path: string, options: StatOptions = {}): Promise<boolean> {
    try {
      await this.stat(path, options);
      return true;
    } catch (error) {
      if (error instanceof SandportError && nothingThere.has(error.code)) return false;
      throw error;
    }
  }

  /** Removes a file, a symlink (never its target) or a directory. */
  async remove(path: string, options: RemoveOptions = {}): Promise<void> {
    await this.api.transport.drain({
      method: 'DELETE',
      path: this.api.fsPath,
      query: {
        path: guestPath(path),
        recursive: options.recursive ?? false,
        must_exist: options.mustExist ?? true,
      },
      idleTimeoutMs: this.api.transport.slowTimeoutMs,
      signal: options.signal,
    });
  }

  /** Makes a directory and its parents; no error when it is there. */
  makeDirectory(path: string, options: MakeDirectoryOptions = {}): Promise<void> {
    return makeDirectory(this.api, path, options);
  }

  /**
   * Renames or moves; a symlink itself is moved; parents are made. `to` is the whole new path.
   * @throws ConflictError `already_exists` when something is there and `overwrite` is not set
   */
  move(from: string, to: string, options: OverwriteOptions = {}): Promise<FileInfo> {
    return transferPath(this.api, '/move', from, to, options);
  }

  /**
   * Copies a file, or a directory with all below it: modes, owners, times and symlinks are kept. A
   * directory is only copied to where nothing is.
   * @throws ConflictError `already_exists`
   */
  copy(from: string, to: string, options: OverwriteOptions = {}): Promise<FileInfo> {
    return transferPath(this.api, '/copy', from, to, options);
  }

  /** Sets permission bits, as `0o755`. @returns how many entries were set */
  chmod(path: string, mode: number, options: ChmodOptions = {}): Promise<number> {
    return chmod(this.api, path, mode, options);
  }

  /** Sets owner and group. @returns how many entries were set */
  chown(path: string, owner: NewOwner, options: ChownOptions = {}): Promise<number> {
    return chown(this.api, path, owner, options);
  }

  /** Makes a symlink at `path`; parents are made. @param target its text */
  symlink(path: string, target: string, options: OverwriteOptions = {}): Promise<FileInfo> {
    return symlink(this.api, path, target, options);
  }

  /** Sets the time of the last change; makes an empty file when nothing is there. */
  touch(path: string, options: TouchOptions = {}): Promise<FileInfo> {
    return touch(this.api, path, options);
  }

  /** How much a file or a directory tree holds. */
  diskUsage(path: string, options: SignalOptions = {}): Promise<DiskUsage> {
    return diskUsage(this.api, path, options);
  }

  /**
   * Tells what changes in a directory. Resolves once everything is watched.
   *
   * @example
   * await using watching = await sandbox.files.watch('/workspace');
   * for await (const event of watching) console.log(event.type, event.path);
   */
  watch(path: string, options: WatchOptions = {}): Promise<FileWatch> {
    return watch(this.api, path, options);
  }

  /** What differs between the sandbox and its template. Volumes are not part of it. */
  async changes(options: ChangesOptions = {}): Promise<FileChange[]> {
    const all: FileChange[] = [];
    for await (const change of changeEntries(this.api, options)) all.push(change);
    return all;
  }

  /** The same changes one by one, however many there are. */
  changeEntries(options: ChangesOptions = {}): AsyncGenerator<FileChange, void, undefined> {
    return changeEntries(this.api, options);
  }
}

/** A path below a file does not exist either. */
const nothingThere = new Set(['file_not_found', 'not_a_directory']);
