import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errnoOf, LocalFileError } from '../errors/client-errors.ts';
import { reason } from './local-source.ts';

/** Bytes gathered before they are written: a few large writes are faster than many small ones. */
const gatherBytes = 1024 * 1024;

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
  try {
    const bytes = await writeAll(body, temporary, target, onBytes);
    if (!target.inPlace) {
      if (target.mode !== undefined) await chmod(temporary, target.mode);
      await rename(temporary, target.path);
    }
    return bytes;
  } catch (error) {
    if (!target.inPlace) await unlink(temporary).catch(() => {});
    throw localError(error, localPath);
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
  const path = resolve(localPath);
  try {
    const stats = await stat(path).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (stats === undefined) {
      await mkdir(dirname(path), { recursive: true });
      return { path, inPlace: false };
    }
    if (stats.isDirectory()) {
      throw new LocalFileError(`${localPath} is a directory; name the file to write.`, localPath);
    }
    if (!stats.isFile()) return { path, inPlace: true };
    return { path: await realpath(path), inPlace: false, mode: stats.mode & 0o7777 };
  } catch (error) {
    throw localError(error, localPath);
  }
}

async function writeAll(
  body: Readable,
  path: string,
  target: Target,
  onBytes: (bytes: number) => void,
): Promise<number> {
  const sink = createWriteStream(path, {
    flags: target.inPlace ? 'w' : 'wx',
    highWaterMark: gatherBytes,
  });
  let total = 0;
  body.on('data', (chunk: Buffer) => {
    total += chunk.length;
    onBytes(total);
  });
  try {
    await pipeline(body, sink);
  } finally {
    // A write may still be under way; the file is not touched before it has ended.
    if (!sink.closed) await new Promise<void>((closed) => sink.once('close', closed));
  }
  return total;
}

/** A sentence for what the system reports; everything else stays as it is. */
function localError(error: unknown, localPath: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  return new LocalFileError(
    `The local file ${localPath} cannot be written: ${reason(error)}.`,
    localPath,
    error,
  );
}
