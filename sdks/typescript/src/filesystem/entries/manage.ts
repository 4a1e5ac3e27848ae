import { changedSchema, diskUsageSchema, fileEntrySchema } from '@sandport/protocol';
import { type FilesApi, guestPath, modeText } from '../files-api.ts';
import { type FileTime, timeText } from '../file-time.ts';
import type { SignalOptions } from '../progress.ts';
import { type FileInfo, fileInfo } from './file-info.ts';

export interface MakeDirectoryOptions extends SignalOptions {
  /** Permission bits of the directories that are made. @default 0o755 */
  mode?: number | undefined;
}

export interface OverwriteOptions extends SignalOptions {
  /** Replace what is there. @default false: `ConflictError` */
  overwrite?: boolean | undefined;
}

export interface ChmodOptions extends SignalOptions {
  /** Also everything below; symlinks there are not followed. @default false */
  recursive?: boolean | undefined;
}

export interface ChownOptions extends ChmodOptions {
  /** False: a symlink itself. @default true */
  followSymlinks?: boolean | undefined;
}

/** Ids, or names that the sandbox knows; what is left out stays. */
export interface NewOwner {
  user?: number | string | undefined;
  group?: number | string | undefined;
}

export interface TouchOptions extends SignalOptions {
  /** @default now */
  mtime?: FileTime | undefined;
  /** Make an empty file when nothing is there. @default true */
  create?: boolean | undefined;
}

/** How much a file or a tree holds. */
export interface DiskUsage {
  readonly path: string;
  readonly files: number;
  /** Those below the path. */
  readonly directories: number;
  readonly symlinks: number;
  readonly others: number;
  /** Sum of the lengths of regular files; hard links count once. */
  readonly sizeBytes: number;
  /** What the tree takes on the disk. */
  readonly diskBytes: number;
}

export async function makeDirectory(
  api: FilesApi,
  path: string,
  { mode, signal }: MakeDirectoryOptions,
): Promise<void> {
  await api.transport.drain({
    method: 'POST',
    path: `${api.fsPath}/mkdir`,
    query: { path: guestPath(path), mode: modeText(mode) },
    signal,
  });
}

/** Moves or copies, by the name of the route. */
export async function transferPath(
  api: FilesApi,
  route: '/move' | '/copy',
  from: string,
  to: string,
  options: OverwriteOptions,
): Promise<FileInfo> {
  const body = { from: guestPath(from), to: guestPath(to), overwrite: options.overwrite };
  return fileInfo(await api.post(route, body, fileEntrySchema, options));
}

export async function chmod(
  api: FilesApi,
  path: string,
  mode: number,
  options: ChmodOptions,
): Promise<number> {
  const body = { path: guestPath(path), mode: modeText(mode), recursive: options.recursive };
  return (await api.post('/chmod', body, changedSchema, options)).changed;
}

export async function chown(
  api: FilesApi,
  path: string,
  { user, group }: NewOwner,
  options: ChownOptions,
): Promise<number> {
  const { recursive, followSymlinks } = options;
  const body = {
    path: guestPath(path),
    user,
    group,
    recursive,
    follow_symlinks: followSymlinks,
  };
  return (await api.post('/chown', body, changedSchema, options)).changed;
}

export async function symlink(
  api: FilesApi,
  path: string,
  target: string,
  options: OverwriteOptions,
): Promise<FileInfo> {
  const body = { path: guestPath(path), target, overwrite: options.overwrite };
  return fileInfo(await api.post('/symlink', body, fileEntrySchema, options));
}

export async function touch(api: FilesApi, path: string, options: TouchOptions): Promise<FileInfo> {
  const { mtime, create } = options;
  const body = {
    path: guestPath(path),
    mtime: mtime === undefined ? undefined : timeText(mtime),
    create,
  };
  return fileInfo(await api.post('/touch', body, fileEntrySchema, options));
}

export async function diskUsage(
  api: FilesApi,
  path: string,
  options: SignalOptions,
): Promise<DiskUsage> {
  const { size_bytes, disk_bytes, ...counts } = await api.get(
    '/du',
    { path: guestPath(path) },
    diskUsageSchema,
    { ...options, isSlow: true },
  );
  return { ...counts, sizeBytes: size_bytes, diskBytes: disk_bytes };
}
