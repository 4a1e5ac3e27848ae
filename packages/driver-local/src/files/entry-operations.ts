import type { FileOwner, RecursiveOptions, TransferOptions } from '@sandport/driver';
import { type RootedFs, RootedFsError } from '@sandport/linux';
import type { DiskUsage, GuestPath } from '@sandport/protocol';
import { about, aboutAsync, fileFault } from './file-fault.ts';

export async function movePath(
  root: RootedFs,
  from: GuestPath,
  to: GuestPath,
  owner: FileOwner,
  options: TransferOptions,
): Promise<void> {
  await aboutEither(to, root.move(from, to, { owner, ...options }));
}

export async function copyPath(
  root: RootedFs,
  from: GuestPath,
  to: GuestPath,
  owner: FileOwner,
  options: TransferOptions,
): Promise<void> {
  await aboutEither(to, root.copy(from, to, { owner, ...options }));
}

export async function linkFile(root: RootedFs, from: GuestPath, to: GuestPath): Promise<void> {
  await aboutEither(to, root.hardLink(from, to));
}

/** The error says which of two paths it is about. */
async function aboutEither(path: GuestPath, action: Promise<void>): Promise<void> {
  try {
    await action;
  } catch (error) {
    throw fileFault(error, error instanceof RootedFsError ? error.path : path);
  }
}

export async function changeMode(
  root: RootedFs,
  path: GuestPath,
  mode: number,
  options: RecursiveOptions,
): Promise<number> {
  return aboutAsync(path, () => root.chmod(path, mode, options));
}

export async function changeOwner(
  root: RootedFs,
  path: GuestPath,
  owner: Partial<FileOwner>,
  options: RecursiveOptions & { followSymlinks?: boolean },
): Promise<number> {
  return aboutAsync(path, () => root.chown(path, owner, options));
}

export async function makeSymlink(
  root: RootedFs,
  path: GuestPath,
  target: string,
  owner: FileOwner,
  options: { overwrite?: boolean },
): Promise<void> {
  about(path, () => root.symlink(path, target, { owner, ...options }));
}

export async function touchFile(
  root: RootedFs,
  path: GuestPath,
  owner: FileOwner,
  options: { mtimeNs?: bigint; create?: boolean },
): Promise<void> {
  await aboutAsync(path, () => root.touch(path, { owner, ...options }));
}

export async function measureUsage(
  root: RootedFs,
  path: GuestPath,
  options: { signal?: AbortSignal },
): Promise<DiskUsage> {
  const { sizeBytes, diskBytes, ...counts } = await aboutAsync(path, () =>
    root.usage(path, options),
  );
  return { path, ...counts, size_bytes: sizeBytes, disk_bytes: diskBytes };
}
