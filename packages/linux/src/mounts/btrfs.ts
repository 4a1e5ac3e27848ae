import { open, rename, rm, statfs } from 'node:fs/promises';
import { SystemError } from '../ffi/system-error.ts';
import { runProgram } from '../processes/run-program.ts';
import { setImageSize } from './image-size.ts';

const BTRFS_SUPER_MAGIC = 0x9123683e;

/** Whether a directory lies on btrfs. @throws Node's error when it is not there */
export async function isOnBtrfs(directory: string): Promise<boolean> {
  return (await statfs(directory)).type === BTRFS_SUPER_MAGIC;
}

export interface BtrfsImageOptions {
  /** Trusted path of the image; must not exist. */
  readonly file: string;
  /** Most that it can hold. It takes room on the host only as it fills, and gives it back. */
  readonly sizeBytes: number;
}

/** Makes a btrfs in a sparse file, whole or not at all. */
export async function createBtrfsImage({ file, sizeBytes }: BtrfsImageOptions): Promise<void> {
  const unfinished = `${file}.new`;
  const handle = await open(unfinished, 'w', 0o600);
  try {
    await handle.truncate(sizeBytes);
  } finally {
    await handle.close();
  }
  try {
    await runProgram('mkfs.btrfs', ['--quiet', '--force', '--', unfinished]);
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

/** Mounts an image. Unmounting frees the loop device. Both paths are trusted. */
export async function mountBtrfsImage(file: string, mountPoint: string): Promise<void> {
  // What is deleted leaves holes in the image; usage is at most some seconds old.
  const flags = 'loop,nosuid,nodev,noatime,discard=async,commit=5';
  await runProgram('mount', ['-t', 'btrfs', '-o', flags, '--', file, mountPoint]);
}

/** Lets a mounted image hold more. */
export async function growBtrfsImage(
  { file, sizeBytes }: BtrfsImageOptions,
  mountPoint: string,
): Promise<void> {
  await setImageSize(file, mountPoint, sizeBytes);
  await btrfs('filesystem', 'resize', 'max', mountPoint);
}

// All paths below are trusted ones of the host.

/** Makes an empty subvolume. */
export async function createSubvolume(path: string): Promise<void> {
  await btrfs('subvolume', 'create', path);
}

/** Makes a writable copy that shares everything, in a time that does not depend on its size. */
export async function snapshotSubvolume(from: string, to: string): Promise<void> {
  await btrfs('subvolume', 'snapshot', from, to);
}

/** Its files are gone at once; their room comes back in the background. */
export async function deleteSubvolume(path: string): Promise<void> {
  await btrfs('subvolume', 'delete', path);
}

/** Turns the accounting by subvolume on for the whole file system. Idempotent. */
export async function enableQuota(path: string): Promise<void> {
  await btrfs('quota', 'enable', path);
}

/** Limits what a subvolume refers to; undefined takes the limit away. Needs the accounting. */
export async function limitSubvolume(path: string, sizeBytes: number | undefined): Promise<void> {
  await btrfs('qgroup', 'limit', sizeBytes === undefined ? 'none' : String(sizeBytes), path);
}

export interface SubvolumeUsage {
  /** All that it refers to, also what it shares. */
  readonly referencedBytes: number;
  /** What would come back when it is deleted. */
  readonly exclusiveBytes: number;
  readonly limitBytes: number | undefined;
}

/** What a subvolume uses, by the accounting of the last commit; undefined without accounting. */
export async function subvolumeUsage(path: string): Promise<SubvolumeUsage | undefined> {
  let text: string;
  try {
    text = await btrfs('qgroup', 'show', '--raw', '-r', '-f', path);
  } catch (error) {
    if (/quotas? not enabled|quota tree|No such file/i.test(String(error))) return undefined;
    throw error;
  }
  const columns = /^\d+\/\d+\s+(\d+)\s+(\d+)\s+(none|\d+)/m.exec(text);
  if (columns === null) return undefined;
  const [, referenced, exclusive, limit] = columns;
  return {
    referencedBytes: Number(referenced),
    exclusiveBytes: Number(exclusive),
    limitBytes: limit === 'none' ? undefined : Number(limit),
  };
}

async function btrfs(...command: string[]): Promise<string> {
  try {
    const { stdout } = await runProgram('btrfs', command);
    return stdout;
  } catch (error) {
    throw toSystemError(error, command);
  }
}

/** Errors of the kernel that somebody must be able to tell from others. */
const kernelErrors: readonly (readonly [RegExp, string])[] = [
  [/Disk quota exceeded/, 'EDQUOT'],
  [/No space left/, 'ENOSPC'],
  [/Read-only file system/, 'EROFS'],
];

function toSystemError(error: unknown, command: readonly string[]): unknown {
  const found = kernelErrors.find(([pattern]) => pattern.test(String(error)));
  return found ? new SystemError(found[1], `btrfs ${command.slice(0, 2).join(' ')}`) : error;
}
