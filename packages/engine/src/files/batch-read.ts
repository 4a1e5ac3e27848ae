import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { OpenFile, SandboxFiles } from '@sandport/driver';
import {
  type BatchFailure,
  type BatchReadLine,
  maxBatchFileBytes,
  parseGuestPath,
  SandportFault,
} from '@sandport/protocol';
import { batchFailed, failureRow } from './batch-row.ts';
import type { MemoryBudget } from './memory-budget.ts';

/** What a file takes until it is sent: its bytes, as Base64, and as a line of JSON. */
const memoryPerByte = 4;
/** How often a file that changes while it is read is read. */
const maxAttempts = 3;

/**
 * Reads file after file; one that fails gives its row and does not stop the rest. Contents are of
 * one moment: a file that changes while it is read is read again, and is `file_changed` at last.
 */
export async function* readEach(
  files: SandboxFiles,
  paths: readonly string[],
  options: { readonly memory: MemoryBudget; readonly signal: AbortSignal },
): AsyncGenerator<BatchReadLine> {
  for (const path of paths) {
    try {
      const { size } = await files.stat(parseGuestPath(path));
      const bytes = Math.min(size, maxBatchFileBytes) * memoryPerByte;
      using room = await options.memory.take(bytes, options.signal);
      if (room === undefined) return;
      yield await readWhole(files, path);
    } catch (error) {
      yield failureRow(path, error);
    }
  }
}

/** @throws SandportFault `batch_failed` when a file cannot be read */
export async function checkAllReadable(
  files: SandboxFiles,
  paths: readonly string[],
): Promise<void> {
  const failures: BatchFailure[] = [];
  for (const path of paths) {
    try {
      await (await openOfBatch(files, path)).close();
    } catch (error) {
      failures.push(failureRow(path, error));
    }
  }
  if (failures.length > 0)
    throw batchFailed(
      `${failures.length} of ${paths.length} files cannot be read, so none was.`,
      failures,
    );
}

async function openOfBatch(files: SandboxFiles, path: string): Promise<OpenFile> {
  const file = await files.open(parseGuestPath(path));
  if (file.entry.size <= maxBatchFileBytes) return file;
  await file.close();
  throw new SandportFault(
    'payload_too_large',
    `${path} has more than ${maxBatchFileBytes} bytes; read it on its own.`,
    { path, limit_bytes: maxBatchFileBytes },
  );
}

async function readWhole(files: SandboxFiles, path: string): Promise<BatchReadLine> {
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    await using file = await openOfBatch(files, path);
    const contents = await contentsOf(file);
    if (contents === undefined) continue;
    return {
      path,
      ok: true,
      size: contents.length,
      permissions: file.entry.permissions,
      modified_at: file.entry.modified_at,
      etag: file.etag,
      sha256: createHash('sha256').update(contents).digest('hex'),
      content_base64: contents.toString('base64'),
    };
  }
  throw new SandportFault('file_changed', `${path} changes while it is read.`, { path });
}

/** All bytes; undefined when the file changed meanwhile. */
async function contentsOf(file: OpenFile): Promise<Buffer | undefined> {
  try {
    const small = file.readSmall(smallFileBytes);
    if (small !== undefined) return file.currentEtag() === file.etag ? small : undefined;
    return await contentsOfStream(file);
  } catch {
    // It became shorter, or cannot be read at all: then opening it again tells why.
    return undefined;
  }
}

/** Up to here a file is read at once: a stream for each of many small files takes longer. */
const smallFileBytes = 64 * 1024;

async function contentsOfStream(file: OpenFile): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let changed = true;
  const stream = file.stream().on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    // The stream closes the file at its end, so this is the moment to look.
    if (bytes === file.entry.size) changed = file.currentEtag() !== file.etag;
  });
  await once(stream, 'end');
  return changed ? undefined : Buffer.concat(chunks);
}
