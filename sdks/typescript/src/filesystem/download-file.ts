import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { errnoOf, LocalFileError } from '../errors/client-errors.ts';
import { reason } from './local-source.ts';

/** Bytes gathered before they are written: a few large writes are faster than many small ones. */
const flushBytes = 1024 * 1024;

/**
 * Writes a body to a local file. It is put beside the target under another name and renamed at the
 * end: the target is the whole old or the whole new file, and nothing is left after a failure.
 * Parents are made. A symlink's target is replaced, not the link; a pipe or a device is written to.
 * @throws LocalFileError, and what the body ends with
 */
export async function saveBody(
  body: Readable,
  localPath: string,
  onBytes: (bytes: number) => void,
): Promise<number> {
  const target = await resolveTarget(localPath);
  const temporary = target.inPlace
    ? target.path
    : join(dirname(target.path), `.sandport-${randomBytes(8).toString('hex')}.part`);
  const handle = await guarded(localPath, () =>
    open(temporary, target.inPlace ? 'w' : 'wx', target.mode ?? 0o666),
  );
  try {
    let bytes: number;
    try {
      if (!target.inPlace && target.mode !== undefined) await handle.chmod(target.mode);
      bytes = await writeAll(body, handle, localPath, onBytes);
    } finally {
      await handle.close();
    }
    if (!target.inPlace) await guarded(localPath, () => rename(temporary, target.path));
    return bytes;
  } catch (error) {
    if (!target.inPlace) await unlink(temporary).catch(() => {});
    throw error;
  }
}

interface Target {
  readonly path: string;
  /** Not a regular file: written where it is. */
  readonly inPlace: boolean;
  /** Permission bits of the file that is replaced. */
  readonly mode?: number;
}

async function resolveTarget(localPath: string): Promise<Target> {
  return guarded(localPath, async () => {
    const path = resolve(localPath);
    try {
      const stats = await stat(path);
      if (stats.isDirectory()) {
        throw new LocalFileError(`${localPath} is a directory; name the file to write.`, localPath);
      }
      if (!stats.isFile()) return { path, inPlace: true };
      return { path: await realpath(path), inPlace: false, mode: stats.mode & 0o7777 };
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      await mkdir(dirname(path), { recursive: true });
      return { path, inPlace: false };
    }
  });
}

async function writeAll(
  body: Readable,
  handle: FileHandle,
  localPath: string,
  onBytes: (bytes: number) => void,
): Promise<number> {
  let total = 0;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let writing: Promise<void> = Promise.resolve();
  const flush = async () => {
    const batch = pending;
    pending = [];
    pendingBytes = 0;
    // One write at a time, while the next batch comes in.
    await writing;
    writing = guarded(localPath, () => writeBatch(handle, batch));
    writing.catch(() => {});
  };
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      pending.push(chunk);
      pendingBytes += chunk.length;
      total += chunk.length;
      if (pendingBytes >= flushBytes) await flush();
      onBytes(total);
    }
    await flush();
  } finally {
    await writing;
  }
  return total;
}

async function writeBatch(handle: FileHandle, batch: readonly Buffer[]): Promise<void> {
  let rest = [...batch];
  while (rest.length > 0) {
    let { bytesWritten } = await handle.writev(rest);
    const left: Buffer[] = [];
    for (const buffer of rest) {
      if (bytesWritten >= buffer.length) bytesWritten -= buffer.length;
      else {
        left.push(buffer.subarray(bytesWritten));
        bytesWritten = 0;
      }
    }
    rest = left;
  }
}

async function guarded<T>(localPath: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LocalFileError || errnoOf(error) === undefined) throw error;
    throw new LocalFileError(
      `The local file ${localPath} cannot be written: ${reason(error)}.`,
      localPath,
      error,
    );
  }
}
