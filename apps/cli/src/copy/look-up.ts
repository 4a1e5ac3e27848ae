import { stat } from 'node:fs/promises';
import { type Filesystem, type FileInfo, LocalFileError, NotFoundError } from 'sandport';
import type { TargetKind } from './target.ts';

/** What a local source is, links followed. @throws LocalFileError */
export async function statLocal(path: string) {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'it does not exist' : error.message;
    throw new LocalFileError(`${path} cannot be read: ${why}.`, path, error);
  });
}

/** What is at a local target. */
export async function localTargetKind(path: string): Promise<TargetKind> {
  const stats = await stat(path).catch(() => undefined);
  return stats === undefined ? 'missing' : stats.isDirectory() ? 'directory' : 'file';
}

/** What is at a target in a sandbox. */
export async function remoteTargetKind(
  filesystem: Filesystem,
  path: string,
  signal: AbortSignal,
): Promise<TargetKind> {
  // Of a file with a slash behind it, too, it is told what it is.
  const info = await statIfThere(filesystem, path.replace(/(?<=.)\/+$/, ''), signal);
  return info === undefined ? 'missing' : info.isDirectory ? 'directory' : 'file';
}

/** What is at a path of a sandbox, links followed; undefined when nothing is. */
export async function statIfThere(
  filesystem: Filesystem,
  path: string,
  signal: AbortSignal,
): Promise<FileInfo | undefined> {
  try {
    return await filesystem.stat(path, { signal });
  } catch (error) {
    if (error instanceof NotFoundError && error.code === 'file_not_found') return undefined;
    throw error;
  }
}
