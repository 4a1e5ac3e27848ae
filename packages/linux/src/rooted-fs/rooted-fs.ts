import { closeSync } from 'node:fs';
import { type ByteString, byteString, textOf } from '../ffi/byte-string.ts';
import { O_NOFOLLOW, O_PATH } from '../ffi/constants.ts';
import { readlinkat } from '../ffi/file-calls.ts';
import { DirectoryWatcher, type WatchDirectoryOptions } from '../inotify/directory-watcher.ts';
import { type BegunWrite, type CreateWriterOptions, beginWrite } from './write/begin-write.ts';
import { type ChangeOptions, changeMode, changeOwner } from './attributes/change-attributes.ts';
import { type TransferOptions, copyEntry } from './copy/copy-entry.ts';
import { type TreeUsage, measureTree } from './walk/disk-usage.ts';
import type { TouchPathOptions, TransferPathOptions } from './entries/entry-options.ts';
import { statDescriptor } from './attributes/entry.ts';
import { type FileStat, etagOf } from './attributes/file-stat.ts';
import { parsePath } from './paths/guest-path.ts';
import { type GuestOwner, IdMapping } from './attributes/id-mapping.ts';
import { type FileSystemSpace, fileSystemSpace } from './paths/file-system-space.ts';
import type { HeldFile } from './held/held-file.ts';
import { openHeldFile } from './held/open-held-file.ts';
import { type LocatedPath, isMountPoint, locatePath } from './paths/locate-path.ts';
import { type Creation, openDirectory } from './entries/make-directory.ts';
import { makeHardLink } from './entries/make-hard-link.ts';
import { makeNewDirectory } from './entries/make-new-directory.ts';
import { makeSymlink } from './entries/make-symlink.ts';
import { moveEntry } from './entries/move-entry.ts';
import { type OpenedFile, openRegularFile } from './descriptors/opened-file.ts';
import { PendingFile } from './write/pending-file.ts';
import { PendingPatch } from './write/pending-patch.ts';
import { type RemoveOptions, removePath } from './remove/remove-path.ts';
import { RootDirectory } from './paths/root-directory.ts';
import { rootedFsErrorOf } from './rooted-fs-error.ts';
import { StagedFiles } from './staged/staged-files.ts';
import { openTop } from './trees/tree-directories.ts';
import { TreeWriter } from './trees/tree-writer.ts';
import { touchFile } from './entries/touch-file.ts';
import { UnfinishedCopies } from './copy/unfinished-copies.ts';
import { type TreeEntry, type WalkTreeOptions, walkTree } from './walk/walk-tree.ts';

export interface RootedFsOptions {
  /** Host id of the guest's id 0. @default 0 */
  readonly idBase?: number;
  /** How many ids the guest has. @default 65536 */
  readonly idCount?: number;
  /**
   * Normal absolute paths that are another file system for the guest. They can be stat'ed and are
   * empty directories; nothing is served below them.
   * @default {@link DEFAULT_HIDDEN_AREAS}
   */
  readonly hiddenAreas?: readonly string[];
  /**
   * Trusted directory on the host for notes on copies that are under way; made when it is needed.
   * @default none: a copy of a directory that is cut off by the end of the process stays half done
   */
  readonly notesDirectory?: string;
}

export interface HoldFileOptions {
  /** @default true */
  readonly read?: boolean;
  /** @default false */
  readonly write?: boolean;
  /** Every write goes to the end. @default false */
  readonly append?: boolean;
  /** Cut what is there to nothing; only with `write`. @default false */
  readonly truncate?: boolean;
  /** Make an empty file where nothing is; parents must be there. @default false */
  readonly create?: boolean;
  /** With `create`: refuse what is there (`exists`). @default false */
  readonly exclusive?: boolean;
  /** Of a file that is made. @default 0o644 */
  readonly mode?: number;
  /** Of a file that is made. @default root of the guest */
  readonly owner?: GuestOwner;
}

export interface MakeDirectoryOptions {
  /** Permission bits of new directories. @default 0o755 */
  readonly mode?: number;
  /** Owner of new directories. @default root of the guest */
  readonly owner?: GuestOwner;
}

/** Where a guest has the kernel's file systems, and Sandport's. */
export const DEFAULT_HIDDEN_AREAS: readonly string[] = ['/proc', '/sys', '/dev', '/run/sandport'];

/**
 * Files below one directory that a hostile guest owns and changes while we work. Paths are absolute
 * and resolve as they would for the guest: symlinks and `..` stay inside. After the resolution all
 * work is on descriptors. Only regular files, directories and symlinks are served, nothing blocks
 * on a FIFO or a device. Every method throws RootedFsError.
 */
export class RootedFs implements Disposable {
  /** Files that are written in several pieces. */
  readonly staged: StagedFiles;
  readonly #root: RootDirectory;
  readonly #ids: IdMapping;
  readonly #unfinished: UnfinishedCopies;
  readonly #watchers = new Set<DirectoryWatcher>();

  private constructor(root: RootDirectory, ids: IdMapping, unfinished: UnfinishedCopies) {
    this.#root = root;
    this.#unfinished = unfinished;
    this.#ids = ids;
    this.staged = new StagedFiles(root, ids);
  }

  /** @param directory trusted path on the host: the guest's `/` */
  static open(directory: string, options: RootedFsOptions = {}): RootedFs {
    const ids = new IdMapping(options.idBase ?? 0, options.idCount ?? 65536);
    try {
      const areas = options.hiddenAreas ?? DEFAULT_HIDDEN_AREAS;
      const unfinished = new UnfinishedCopies(options.notesDirectory);
      return new RootedFs(new RootDirectory(directory, areas), ids, unfinished);
    } catch (error) {
      throw rootedFsErrorOf(error, directory);
    }
  }

  /** Opens a regular file for reading; follows symlinks. The caller closes it. */
  openFile(path: string): OpenedFile {
    return this.#run(path, (bytes) => openRegularFile(this.#root, bytes, path, this.#ids));
  }

  /** Opens a regular file to be read and written in place; follows symlinks. The caller closes it. */
  async holdFile(path: string, options: HoldFileOptions = {}): Promise<HeldFile> {
    const { create = false, owner, mode = 0o644 } = options;
    const { read = true, write = false, append = false } = options;
    const { truncate = false, exclusive = false } = options;
    try {
      const creation = create ? this.#creation(owner, mode & 0o7777) : undefined;
      const open = { read, write, append, truncate, exclusive, creation };
      return await openHeldFile(this.#root, this.#ids, parsePath(path), path, open);
    } catch (error) {
      throw rootedFsErrorOf(error, path);
    }
  }

  /** Begins an atomic write; a symlink's target is written. The caller commits or aborts. */
  createWriter(path: string, options: CreateWriterOptions = {}): PendingFile {
    return this.#begin(path, options, (begun) => new PendingFile(begun, path));
  }

  /**
   * Begins a change of a file in place; a symlink's target is changed. The caller commits or aborts.
   * @param options.offset place of the first byte. @default the end of the file
   */
  createPatch(path: string, options: CreateWriterOptions & { offset?: number } = {}): PendingPatch {
    return this.#begin(path, options, (begun) => new PendingPatch(begun, path, options.offset));
  }

  /** Entries of a directory and of all below it, in tree order; see {@link walkTree}. */
  walk(path: string, options: WalkTreeOptions = {}): AsyncGenerator<TreeEntry> {
    return walkTree(this.#root, path, this.#ids, options);
  }

  /** Begins to write a tree entry by entry; its directory is made when it is missing. */
  writeTree(path: string, options: { readonly owner?: GuestOwner } = {}): TreeWriter {
    return this.#run(path, (bytes) => {
      const parents = this.#creation(options.owner, 0o755);
      return new TreeWriter(this.#root, this.#ids, openTop(this.#root, bytes, parents), parents);
    });
  }

  /** With the ETag of a file. @param options.followSymlinks false: of a symlink itself; true */
  stat(path: string, options: { readonly followSymlinks?: boolean } = {}): FileStat {
    return this.#run(path, (bytes) => {
      const follow = options.followSymlinks ?? true;
      const fd = this.#root.open(bytes, follow ? O_PATH : O_PATH | O_NOFOLLOW);
      try {
        const raw = statDescriptor(fd);
        if (raw.type === 'file') return { ...this.#ids.guestStat(raw), etag: etagOf(raw) };
        if (raw.type !== 'symlink') return this.#ids.guestStat(raw);
        return this.#ids.guestStat(raw, textOf(readlinkat(fd, '' as ByteString)));
      } finally {
        closeSync(fd);
      }
    });
  }

  /** Removes a file, a symlink (not its target) or a directory; never crosses a mount (`busy`). */
  async remove(path: string, options: RemoveOptions = {}): Promise<void> {
    try {
      await removePath(this.#root, parsePath(path), options);
    } catch (error) {
      throw rootedFsErrorOf(error, path);
    }
  }

  /** Makes a directory and its parents; no error when it is there. */
  makeDirectory(path: string, options: MakeDirectoryOptions = {}): void {
    closeSync(this.openMountTarget(path, options));
  }

  /** Makes a directory where nothing is (`exists`), and no parents (`not_found`). */
  makeNewDirectory(path: string, { owner, mode = 0o755 }: MakeDirectoryOptions = {}): void {
    this.#run(path, (bytes) => makeNewDirectory(this.#root, bytes, this.#creation(owner, mode)));
  }

  /** As makeDirectory; returns an O_PATH descriptor of it, which the caller closes. */
  openMountTarget(path: string, options: MakeDirectoryOptions = {}): number {
    return this.#run(path, (bytes) => {
      const creation = this.#creation(options.owner, options.mode ?? 0o755);
      return openDirectory(this.#root, bytes, creation).fd;
    });
  }

  /** Where a path leads, also when its end does not exist. */
  locate(path: string): LocatedPath {
    return this.#run(path, (bytes) => locatePath(this.#root, bytes));
  }

  /** Of the file system that the path leads to. */
  async space(path: string): Promise<FileSystemSpace> {
    try {
      return await fileSystemSpace(this.#root, parsePath(path));
    } catch (error) {
      throw rootedFsErrorOf(error, path);
    }
  }

  /** Whether something else is mounted at the path; does not follow a symlink there. */
  isMountPoint(path: string): boolean {
    return this.#run(path, (bytes) => isMountPoint(this.#root, bytes));
  }

  /** Tells what happens in a directory from now on. The caller closes it. */
  async watch(path: string, options: WatchDirectoryOptions = {}): Promise<DirectoryWatcher> {
    try {
      return await DirectoryWatcher.open(this.#root, parsePath(path), options, this.#watchers);
    } catch (error) {
      throw rootedFsErrorOf(error, path);
    }
  }

  /** Renames, or copies and removes; a symlink itself is moved. Errors name the path to blame. */
  async move(from: string, to: string, options: TransferPathOptions = {}): Promise<void> {
    await moveEntry(this.#root, this.#ids, from, to, this.#transfer(options));
  }

  /** Copies what `from` leads to, with all below it; it appears whole. */
  async copy(from: string, to: string, options: TransferPathOptions = {}): Promise<void> {
    await copyEntry(this.#root, this.#ids, from, to, this.#transfer(options));
  }

  /** Follows a symlink at `path`, none below it. @returns how many entries were set */
  chmod(path: string, mode: number, options: ChangeOptions = {}): Promise<number> {
    return changeMode(this.#root, this.#ids, path, mode, options);
  }

  /** @param options.followSymlinks false: of a symlink itself; true @returns how many were set */
  chown(
    path: string,
    owner: Partial<GuestOwner>,
    options: ChangeOptions & { readonly followSymlinks?: boolean } = {},
  ): Promise<number> {
    return changeOwner(this.#root, this.#ids, path, owner, options);
  }

  /** Removes what copies left behind that an earlier process could not finish. */
  async removeUnfinished(): Promise<void> {
    await this.#unfinished.removeAll(this.#root);
  }

  /** Makes a symlink and missing parents. @param target its text; need not lead anywhere */
  symlink(path: string, target: string, options: TransferPathOptions = {}): void {
    this.#run(path, (bytes) => {
      const text = byteString(Buffer.from(target, 'utf8').toString('latin1'));
      makeSymlink(this.#root, bytes, text, this.#transfer(options));
    });
  }

  /** Gives a regular file one more name, which must be free. Errors name the path to blame. */
  async hardLink(from: string, to: string): Promise<void> {
    await makeHardLink(this.#root, from, to);
  }

  /** Sets the time of the last change; follows symlinks. */
  async touch(path: string, options: TouchPathOptions = {}): Promise<void> {
    const { create = true, mtimeNs, owner } = options;
    try {
      const creation = create ? this.#creation(owner, 0o644) : undefined;
      await touchFile(this.#root, parsePath(path), { mtimeNs, creation });
    } catch (error) {
      throw rootedFsErrorOf(error, path);
    }
  }

  /** How much a file, or a directory with all below it, holds. */
  usage(path: string, options: { readonly signal?: AbortSignal } = {}): Promise<TreeUsage> {
    return measureTree(this.#root, this.#ids, path, options);
  }

  /** Files that were opened before stay usable, watchers end. Idempotent. */
  close(): void {
    for (const watcher of [...this.#watchers]) watcher.end();
    this.#root.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #begin<Pending>(
    path: string,
    options: CreateWriterOptions,
    make: (begun: BegunWrite) => Pending,
  ): Pending {
    return this.#run(path, (bytes) => {
      const begun = beginWrite(this.#root, this.#ids, bytes, options);
      try {
        return make(begun);
      } catch (error) {
        closeSync(begun.target.directory);
        throw error;
      }
    });
  }

  #transfer({ overwrite = false, owner, signal }: TransferPathOptions): TransferOptions {
    const creation = this.#creation(owner, 0o755);
    return { overwrite, creation, signal, unfinished: this.#unfinished };
  }

  #creation(owner: GuestOwner = { uid: 0, gid: 0 }, mode: number): Creation {
    const hostUid = this.#ids.toHost(owner.uid);
    return { hostUid, hostGid: this.#ids.toHost(owner.gid), mode };
  }

  #run<Result>(path: string, operation: (bytes: ByteString) => Result): Result {
    try {
      return operation(parsePath(path));
    } catch (error) {
      throw rootedFsErrorOf(error, path);
    }
  }
}
