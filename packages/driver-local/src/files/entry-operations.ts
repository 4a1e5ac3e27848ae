import type { FileOwner, RecursiveOptions, TransferOptions } from '@sandport/driver';
import type { RootedFs } from '@sandport/linux';
import type { DiskUsage, GuestPath } from '@sandport/protocol';

export async function movePath(
  _root: RootedFs,
  _from: GuestPath,
  _to: GuestPath,
  _owner: FileOwner,
  _options: TransferOptions,
): Promise<void> {
  throw new Error('movePath');
}

export async function copyPath(
  _root: RootedFs,
  _from: GuestPath,
  _to: GuestPath,
  _owner: FileOwner,
  _options: TransferOptions,
): Promise<void> {
  throw new Error('copyPath');
}

export async function changeMode(
  _root: RootedFs,
  _path: GuestPath,
  _mode: number,
  _options: RecursiveOptions,
): Promise<number> {
  throw new Error('changeMode');
}

export async function changeOwner(
  _root: RootedFs,
  _path: GuestPath,
  _owner: Partial<FileOwner>,
  _options: RecursiveOptions & { followSymlinks?: boolean },
): Promise<number> {
  throw new Error('changeOwner');
}

export async function makeSymlink(
  _root: RootedFs,
  _path: GuestPath,
  _target: string,
  _owner: FileOwner,
  _options: { overwrite?: boolean },
): Promise<void> {
  throw new Error('makeSymlink');
}

export async function touchFile(
  _root: RootedFs,
  _path: GuestPath,
  _owner: FileOwner,
  _options: { mtimeNs?: bigint; create?: boolean },
): Promise<void> {
  throw new Error('touchFile');
}

export async function measureUsage(
  _root: RootedFs,
  _path: GuestPath,
  _options: { signal?: AbortSignal },
): Promise<DiskUsage> {
  throw new Error('measureUsage');
}
