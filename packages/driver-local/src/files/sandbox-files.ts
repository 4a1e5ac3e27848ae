import type {
  FileChanges,
  FileOwner,
  FileSystemSpace,
  FileWatcher,
  FileWriter,
  HeldFile,
  HoldFileOptions,
  OpenFile,
  PatchFileOptions,
  RecursiveOptions,
  SandboxFiles,
  StagedFiles,
  TransferOptions,
  TreeWriter,
  TreeWriterOptions,
  WalkedEntry,
  WalkOptions,
  WatchOptions,
  WriteFileOptions,
} from '@sandport/driver';
import type { RootedFs } from '@sandport/linux';
import type { DiskUsage, FileEntry, GuestPath } from '@sandport/protocol';
import {
  changeMode,
  changeOwner,
  copyPath,
  linkFile,
  makeSymlink,
  measureUsage,
  movePath,
  touchFile,
} from './entry-operations.ts';
import { openForReading, patchFile, writeFile } from './file-access.ts';
import { baseName, fileEntry } from './file-entry.ts';
import { about, aboutAsync } from './file-fault.ts';
import { holdFile } from './held-file.ts';
import { RootedStagedFiles } from './staged-files.ts';
import { writeTree } from './trees.ts';
import { walkTree } from './walk-tree.ts';
import { watchDirectory } from './watch.ts';

export interface RootedSandboxFilesOptions {
  readonly root: RootedFs;
  /** Owns new files where nothing else is asked for. */
  readonly owner: FileOwner;
  readonly changes: FileChanges;
}

/** The files of one sandbox, running or not, or of one volume, through the descriptor of its root. */
export class RootedSandboxFiles implements SandboxFiles {
  readonly changes: FileChanges;
  readonly staged: StagedFiles;
  readonly #root: RootedFs;
  readonly #owner: FileOwner;

  constructor({ root, owner, changes }: RootedSandboxFilesOptions) {
    this.#root = root;
    this.#owner = owner;
    this.changes = changes;
    this.staged = new RootedStagedFiles(root, owner);
  }

  async open(path: GuestPath): Promise<OpenFile> {
    return openForReading(this.#root, path);
  }

  async write(path: GuestPath, options: WriteFileOptions = {}): Promise<FileWriter> {
    return writeFile(this.#root, path, this.#owner, options);
  }

  async patch(path: GuestPath, options: PatchFileOptions = {}): Promise<FileWriter> {
    return patchFile(this.#root, path, this.#owner, options);
  }

  hold(path: GuestPath, options: HoldFileOptions = {}): Promise<HeldFile> {
    return holdFile(this.#root, path, this.#owner, options);
  }

  async realPath(path: GuestPath): Promise<string> {
    return about(path, () => this.#root.locate(path)).pathBytes.toString();
  }

  space(path: GuestPath): Promise<FileSystemSpace> {
    return aboutAsync(path, () => this.#root.space(path));
  }

  async stat(path: GuestPath, options?: { followSymlinks?: boolean }): Promise<FileEntry> {
    const stat = about(path, () => this.#root.stat(path, options));
    return fileEntry({ name: baseName(path), path }, stat);
  }

  walk(path: GuestPath, options: WalkOptions = {}): AsyncIterable<WalkedEntry> {
    return walkTree(this.#root, path, options);
  }

  async remove(
    path: GuestPath,
    options: { recursive?: boolean; signal?: AbortSignal } = {},
  ): Promise<void> {
    await aboutAsync(path, () => this.#root.remove(path, options));
  }

  async makeDirectory(
    path: GuestPath,
    options: { owner?: FileOwner; mode?: number; exclusive?: boolean } = {},
  ): Promise<void> {
    const { owner = this.#owner, mode = 0o755, exclusive = false } = options;
    about(path, () => {
      if (exclusive) this.#root.makeNewDirectory(path, { owner, mode });
      else this.#root.makeDirectory(path, { owner, mode });
    });
  }

  move(from: GuestPath, to: GuestPath, options: TransferOptions = {}): Promise<void> {
    return movePath(this.#root, from, to, this.#owner, options);
  }

  copy(from: GuestPath, to: GuestPath, options: TransferOptions = {}): Promise<void> {
    return copyPath(this.#root, from, to, this.#owner, options);
  }

  chmod(path: GuestPath, mode: number, options: RecursiveOptions = {}): Promise<number> {
    return changeMode(this.#root, path, mode, options);
  }

  chown(
    path: GuestPath,
    owner: Partial<FileOwner>,
    options: RecursiveOptions & { followSymlinks?: boolean } = {},
  ): Promise<number> {
    return changeOwner(this.#root, path, owner, options);
  }

  symlink(path: GuestPath, target: string, options: { overwrite?: boolean } = {}): Promise<void> {
    return makeSymlink(this.#root, path, target, this.#owner, options);
  }

  hardLink(from: GuestPath, to: GuestPath): Promise<void> {
    return linkFile(this.#root, from, to);
  }

  touch(path: GuestPath, options: { mtimeNs?: bigint; create?: boolean } = {}): Promise<void> {
    return touchFile(this.#root, path, this.#owner, options);
  }

  diskUsage(path: GuestPath, options: { signal?: AbortSignal } = {}): Promise<DiskUsage> {
    return measureUsage(this.#root, path, options);
  }

  writeTree(path: GuestPath, options: TreeWriterOptions = {}): Promise<TreeWriter> {
    return writeTree(this.#root, path, this.#owner, options);
  }

  watch(path: GuestPath, options: WatchOptions = {}): Promise<FileWatcher> {
    return watchDirectory(this.#root, path, options);
  }
}
