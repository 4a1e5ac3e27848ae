import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf, LocalFileError } from '../../errors/client-errors.ts';
import type { ContentSource } from './content.ts';

const readBytes = 1024 * 1024;

/**
 * Opens a file of this machine as content. A regular file can be sent a second time, and it is an
 * error when it turns out shorter or longer than it was; a pipe or a device is read once.
 * The caller closes the handle.
 * @throws LocalFileError
 */
export async function openLocalSource(
  localPath: string,
): Promise<{ source: ContentSource; handle: FileHandle; sizeBytes: number | undefined }> {
  let handle: FileHandle;
  try {
    handle = await open(localPath, constants.O_RDONLY);
  } catch (cause) {
    throw new LocalFileError(
      `The local file ${localPath} cannot be opened: ${reason(cause)}.`,
      localPath,
      cause,
    );
  }
  try {
    const stats = await handle.stat({ bigint: true });
    if (stats.isDirectory()) {
      throw new LocalFileError(`${localPath} is a directory; upload takes one file.`, localPath);
    }
    const sizeBytes = stats.isFile() ? Number(stats.size) : undefined;
    const source: ContentSource = {
      kind: 'stream',
      open: () => readHandle(handle, localPath, stats),
      replayable: sizeBytes !== undefined,
      sizeBytes,
    };
    return { source, handle, sizeBytes };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Reads ahead by one chunk, so that the disk and the network work at the same time. */
async function* readHandle(
  handle: FileHandle,
  localPath: string,
  stats: BigIntStats,
): AsyncGenerator<Uint8Array> {
  const sizeBytes = stats.isFile() ? Number(stats.size) : undefined;
  let position = 0;
  const readNext = () => {
    const at = sizeBytes === undefined ? null : position;
    const promise = handle.read(Buffer.allocUnsafeSlow(readBytes), 0, readBytes, at);
    // The failure is seen when the chunk is awaited.
    promise.catch(() => {});
    return promise;
  };
  let next = readNext();
  for (;;) {
    const { bytesRead, buffer } = await next.catch((cause: unknown) => {
      throw new LocalFileError(
        `The local file ${localPath} cannot be read: ${reason(cause)}.`,
        localPath,
        cause,
      );
    });
    if (bytesRead === 0) break;
    position += bytesRead;
    next = readNext();
    yield bytesRead === buffer.byteLength ? buffer : buffer.subarray(0, bytesRead);
  }
  if (sizeBytes === undefined) return;
  const { mtimeNs } = await handle.stat({ bigint: true });
  if (position === sizeBytes && mtimeNs === stats.mtimeNs) return;
  const came = position === sizeBytes ? '' : `: it had ${sizeBytes} bytes, ${position} came`;
  throw new LocalFileError(
    `The local file ${localPath} changed while it was read${came}. Nothing was written.`,
    localPath,
  );
}

/** Why the system refused, without the code and the call that Node puts around it. */
export function reason(error: unknown): string {
  switch (errnoOf(error)) {
    case 'ENOENT':
      return 'it does not exist';
    case 'EEXIST':
      return 'something is there already';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a directory';
    case 'ENOTDIR':
      return 'a part of the path is not a directory';
    case 'ENOSPC':
      return 'the disk is full';
    case 'EROFS':
      return 'the file system is read-only';
    case 'ENAMETOOLONG':
      return 'the name is too long';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
