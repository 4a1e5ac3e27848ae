import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import {
  type BatchFile,
  type BatchWriteResult,
  batchWriteResultSchema,
  maxBatchFileBytes,
  maxBatchFiles,
} from '@sandport/protocol';
import { TooLargeError } from '../../errors/api-errors.ts';
import { SandportError } from '../../errors/sandport-error.ts';
import { type FilesApi, modeText } from '../files-api.ts';
import { type FileTime, timeText } from '../file-time.ts';
import type { SignalOptions } from '../progress.ts';
import type { FileOwner } from '../write/write-options.ts';
import { type BatchFailure, failureOf } from './batch-failure.ts';

/** A file of `writeFiles`; it has at most 16 MiB. */
export interface FileToWrite {
  path: string;
  /** Text is written as UTF-8. */
  content: string | Uint8Array;
  /** Permission bits. @default those of the file that was there; of a new one 0o644 */
  mode?: number | undefined;
  owner?: FileOwner | undefined;
  mtime?: FileTime | undefined;
  /** Write only over the file with this `etag`. */
  ifMatch?: string | undefined;
  /** `'*'`: write only where nothing is. */
  ifNoneMatch?: '*' | undefined;
}

export interface BatchOptions extends SignalOptions {
  /**
   * `each`: what fails does not stop the rest; `all`: no file is written, or read, unless all can
   * be.
   * @default 'each'
   */
  mode?: 'each' | 'all' | undefined;
}

export interface WrittenFile {
  readonly ok: true;
  readonly path: string;
  readonly bytes: number;
  readonly etag: string;
}

export type WriteFileResult = WrittenFile | BatchFailure;

/**
 * Writes many files in one request, or with `each` in one for every 10,000.
 * @returns results in the order of the files
 * @throws ConflictError with `code` `batch_failed` when `all` were asked for and one failed
 */
export async function writeFiles(
  api: FilesApi,
  files: Iterable<FileToWrite>,
  options: BatchOptions,
): Promise<WriteFileResult[]> {
  const all = [...files];
  for (const file of all) checkFile(file);
  const results: WriteFileResult[] = [];
  const step = options.mode === 'all' ? Math.max(all.length, 1) : maxBatchFiles;
  for (let start = 0; start < all.length; start += step)
    results.push(...(await sendBatch(api, all.slice(start, start + step), options)));
  return results;
}

async function sendBatch(
  api: FilesApi,
  files: readonly FileToWrite[],
  { mode, signal }: BatchOptions,
): Promise<WriteFileResult[]> {
  const spec = {
    method: 'POST',
    path: `${api.fsPath}/batch/write`,
    query: { mode },
    headers: { 'content-type': 'application/x-ndjson' },
    body: { kind: 'stream', open: () => lines(files), replayable: false },
    idleTimeoutMs: api.transport.slowTimeoutMs,
    signal,
  } as const;
  const message = await api.transport.send(spec);
  const answer = await api.transport.readJson<BatchWriteResult>(
    message,
    batchWriteResultSchema,
    spec,
  );
  if (answer.results.length !== files.length)
    throw new SandportError(
      `The daemon took ${answer.results.length} of ${files.length} files; send them again.`,
      { code: 'incomplete_body', retryable: true },
    );
  return answer.results.map((result) => (result.ok ? result : failureOf(result)));
}

const lineBufferBytes = 512 * 1024;

/** Lines of JSON, gathered so that small files do not make small packets. */
async function* lines(files: readonly FileToWrite[]): AsyncGenerator<Uint8Array> {
  let text = '';
  for (const file of files) {
    text += `${JSON.stringify(lineOf(file))}\n`;
    if (text.length < lineBufferBytes) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

function lineOf({
  content,
  path,
  mode,
  owner,
  mtime,
  ifMatch,
  ifNoneMatch,
}: FileToWrite): BatchFile {
  const isText = typeof content === 'string';
  return {
    path,
    content: isText ? content : undefined,
    content_base64: isText ? undefined : bytesOf(content).toString('base64'),
    mode: modeText(mode),
    uid: owner?.uid,
    gid: owner?.gid,
    mtime: mtime === undefined ? undefined : timeText(mtime),
    if_match: ifMatch,
    if_none_match: ifNoneMatch,
    sha256: createHash('sha256').update(content).digest('hex'),
  };
}

const bytesOf = (content: Uint8Array) =>
  Buffer.from(content.buffer, content.byteOffset, content.byteLength);

/** The daemon checks the paths: a bad one has a result as any other failure of a file. */
function checkFile({ path, content }: FileToWrite): void {
  const bytes = typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength;
  if (bytes <= maxBatchFileBytes) return;
  throw new TooLargeError(
    `${path} has ${bytes} bytes; a batch takes files of up to ${maxBatchFileBytes}. Use write or upload for it.`,
    { code: 'payload_too_large', details: { path, limit_bytes: maxBatchFileBytes } },
  );
}
