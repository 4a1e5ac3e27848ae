import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { fileEntrySchema } from '@sandport/protocol';
import { UploadLostError } from '../../errors/client-errors.ts';
import { header } from '../../http/answer-body.ts';
import { Patience } from '../../http/patience.ts';
import { sha256Of } from '../digest.ts';
import { type FilesApi, modeText } from '../files-api.ts';
import { timeText } from '../file-time.ts';
import type { UploadOptions, WriteOptions, WriteResult } from '../write/write-options.ts';
import { PartReader } from './part-reader.ts';
import { TusUpload } from './tus.ts';

/** A local file that is open. */
export interface LocalFile {
  readonly path: string;
  readonly handle: FileHandle;
}

/** True when an upload in parts can express the options. */
export const canResume = ({ owner, sync, createParents }: WriteOptions): boolean =>
  owner === undefined && sync !== true && createParents !== false;

/**
 * Sends a local file in parts, each with its SHA-256. After a broken connection or a restart of the
 * daemon it goes on where the daemon is; it gives up after a minute without getting further. The
 * file appears with its last part. What fails for good leaves nothing in the sandbox.
 * @throws LocalFileError when the local file changes meanwhile
 */
export async function resumableUpload(
  { api, uploadsPath }: { readonly api: FilesApi; readonly uploadsPath: string },
  file: LocalFile,
  remotePath: string,
  options: UploadOptions,
): Promise<WriteResult> {
  const { mode, mtime, ifMatch, ifNoneMatch, signal } = options;
  const reader = new PartReader(file.handle, file.path, await file.handle.stat({ bigint: true }));
  const metadata = {
    path: remotePath,
    mode: modeText(mode),
    mtime: mtime === undefined ? undefined : timeText(mtime),
    if_match: ifMatch,
    if_none_match: ifNoneMatch,
  };
  const upload = await TusUpload.create(
    { api, uploadsPath },
    { sizeBytes: reader.sizeBytes, metadata },
    signal,
  );
  try {
    const end = await sendParts(upload, reader, options);
    if (end === 'unknown') await checkArrived(api, file, remotePath, signal);
  } catch (error) {
    await upload.delete();
    throw error;
  } finally {
    await reader.settle();
  }
  const query = { path: remotePath };
  const { size, etag = '' } = await api.get('/stat', query, fileEntrySchema, { signal });
  return { path: remotePath, bytes: reader.sizeBytes, size, etag };
}

/**
 * Sends part after part until the daemon has all.
 * @returns `unknown` when the last part was sent and the daemon has no such upload any more: the
 * answer to that part was lost
 */
async function sendParts(
  upload: TusUpload,
  reader: PartReader,
  { onProgress, onRetry, signal }: UploadOptions,
): Promise<'complete' | 'unknown'> {
  const totalBytes = reader.sizeBytes;
  const patience = new Patience(onRetry);
  let offset = 0;
  let lastSent = false;
  while (offset < totalBytes) {
    const begin = offset;
    const { bytes, sha256 } = await reader.part(begin);
    lastSent ||= begin + bytes.length === totalBytes;
    try {
      offset = await upload.append(begin, bytes, sha256, (sent) =>
        onProgress?.({ bytes: begin + sent, totalBytes }),
      );
    } catch (error) {
      await patience.pause(error, signal);
      const there = await askOffset(upload, patience, signal);
      if (there === undefined && lastSent) return 'unknown';
      if (there === undefined) throw error;
      offset = there;
    }
    if (offset > begin) patience.progress();
  }
  return 'complete';
}

/** Where the daemon is, asked until it answers. */
async function askOffset(
  upload: TusUpload,
  patience: Patience,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  for (;;) {
    try {
      return await upload.offset();
    } catch (error) {
      await patience.pause(error, signal);
    }
  }
}

/** Compares the file of the sandbox with the local one. @throws UploadLostError */
async function checkArrived(
  api: FilesApi,
  { handle, path }: LocalFile,
  remotePath: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const message = await api.transport.drain({
    method: 'HEAD',
    path: api.fsPath,
    query: { path: remotePath },
    headers: { 'want-repr-digest': 'sha-256=1' },
    idleTimeoutMs: api.transport.slowTimeoutMs,
    signal,
  });
  const hash = createHash('sha256');
  const stream = handle.createReadStream({ start: 0, autoClose: false, highWaterMark: 1 << 20 });
  for await (const chunk of stream as AsyncIterable<Buffer>) hash.update(chunk);
  if (sha256Of(header(message, 'repr-digest')) === hash.digest('base64')) return;
  throw new UploadLostError(path, remotePath);
}
