import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { batchReadLineSchema, maxBatchFiles } from '@sandport/protocol';
import { DigestMismatchError } from '../../errors/api-errors.ts';
import { NetworkError } from '../../errors/client-errors.ts';
import { parseJson } from '../../http/answer-body.ts';
import { jsonSpec } from '../../http/transport.ts';
import type { FilesApi } from '../files-api.ts';
import { receiveBody } from '../read/receive-body.ts';
import { type BatchFailure, failureOf } from './batch-failure.ts';
import { splitLines } from './lines.ts';
import type { BatchOptions } from './write-files.ts';

export interface ReadFileSuccess {
  readonly ok: true;
  readonly path: string;
  readonly content: Uint8Array;
  readonly size: number;
  /** Permission bits in octal, as `0644`. */
  readonly permissions: string;
  readonly modifiedAt: Date;
  readonly etag: string;
  readonly sha256: string;
}

export type ReadFileResult = ReadFileSuccess | BatchFailure;

/**
 * Reads many files of up to 16 MiB each, one after the other as they come. Contents are checked
 * against their SHA-256.
 * @throws ConflictError with `code` `batch_failed` when `all` were asked for and one failed
 */
export async function* readFileEntries(
  api: FilesApi,
  paths: Iterable<string>,
  options: BatchOptions,
): AsyncGenerator<ReadFileResult, void, undefined> {
  const all = [...paths];
  const step = options.mode === 'all' ? Math.max(all.length, 1) : maxBatchFiles;
  for (let start = 0; start < all.length; start += step)
    yield* readBatch(api, all.slice(start, start + step), options);
}

async function* readBatch(
  api: FilesApi,
  paths: readonly string[],
  { mode, signal }: BatchOptions,
): AsyncGenerator<ReadFileResult, void, undefined> {
  const spec = jsonSpec({
    method: 'POST',
    path: `${api.fsPath}/batch/read`,
    headers: { accept: 'application/x-ndjson' },
    json: { paths, mode },
    signal,
  });
  const message = await api.transport.send(spec);
  let came = 0;
  try {
    for await (const line of splitLines(receiveBody(api.transport, message, spec))) {
      came += 1;
      yield resultOf(line);
    }
  } finally {
    message.destroy();
  }
  if (came !== paths.length)
    throw new NetworkError(`Of ${paths.length} files came ${came}; ask again.`);
}

function resultOf(line: string): ReadFileResult {
  const result = batchReadLineSchema.parse(parseJson(line));
  if (!result.ok) return failureOf(result);
  const { content_base64, modified_at, ...same } = result;
  const content = Buffer.from(content_base64, 'base64');
  const received = createHash('sha256').update(content).digest('hex');
  if (received !== same.sha256 || content.length !== same.size)
    throw new DigestMismatchError(
      `The bytes of ${same.path} were changed on their way: the daemon has SHA-256 ${same.sha256}, this side ${received}.`,
      {
        code: 'digest_mismatch',
        retryable: true,
        details: { path: same.path, expected: same.sha256, received },
      },
    );
  return { ...same, content, modifiedAt: new Date(modified_at) };
}
