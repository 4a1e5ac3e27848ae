import type { FileWriter, SandboxFiles } from '@sandport/driver';
import {
  type BatchFailure,
  type BatchFile,
  type BatchWriteResult,
  maxBatchFiles,
  parseGuestPath,
  SandportFault,
} from '@sandport/protocol';
import { batchFailed, failureRow, tally } from './batch-row.ts';
import { beginBatchFile, conditionOf } from './batch-write-file.ts';
import type { StagingSpace } from './staging-space.ts';

/** A file of a batch, or why a line of it is none. */
export type BatchItem =
  | { readonly file: BatchFile }
  | { readonly path: string; readonly fault: SandportFault };

type Row = BatchWriteResult['results'][number];

/**
 * Writes file after file, each atomically; one that fails does not stop the rest.
 * @throws SandportFault `payload_too_large` behind the last file that a batch may have
 */
export async function writeEach(
  files: SandboxFiles,
  items: AsyncIterable<BatchItem>,
): Promise<BatchWriteResult> {
  const rows: Row[] = [];
  for await (const item of items) {
    checkCount(rows.length, `the first ${rows.length} were written where they could be`);
    rows.push(await writeItem(files, item));
  }
  return tally(rows);
}

async function writeItem(files: SandboxFiles, item: BatchItem): Promise<Row> {
  if ('fault' in item) return failureRow(item.path, item.fault);
  const { path } = item.file;
  try {
    await using writer = await beginBatchFile(files, item.file);
    return await commit(path, writer);
  } catch (error) {
    return failureRow(path, error);
  }
}

async function commit(path: string, writer: FileWriter): Promise<Row> {
  const { bytes, etag } = await writer.commit();
  return { path, ok: true, bytes, etag };
}

/**
 * Writes all files or none: all bytes are written beside their targets first, and when every file
 * can be written they appear one right after the other. Only what goes wrong in that last step (a
 * target that was replaced by a directory at that moment) can leave some of them written; the
 * results then say which.
 * @throws SandportFault `batch_failed` with the rows of what failed, `limit_reached`,
 * `payload_too_large`
 */
export async function writeAll(
  files: SandboxFiles,
  items: AsyncIterable<BatchItem>,
  space: StagingSpace,
): Promise<BatchWriteResult> {
  const staged: StagedFile[] = [];
  const failures: BatchFailure[] = [];
  const abortAll = async () => {
    await Promise.all(staged.map(({ writer }) => writer.abort()));
    space.release(staged.splice(0).length);
  };
  try {
    let count = 0;
    for await (const item of items) {
      checkCount(count++, 'nothing was written');
      const result = await stage(files, item, staged, space);
      if (result !== undefined) failures.push(result);
      // Nothing will be written any more: the rest is only looked at.
      if (failures.length > 0) await abortAll();
    }
    failures.push(...(await changedMeanwhile(files, staged)));
    if (failures.length > 0)
      throw batchFailed(
        `${failures.length} of ${count} files cannot be written, so none was.`,
        failures,
      );
    return await commitAll(staged);
  } finally {
    await abortAll();
  }
}

interface StagedFile {
  readonly file: BatchFile;
  readonly writer: FileWriter;
}

async function stage(
  files: SandboxFiles,
  item: BatchItem,
  staged: StagedFile[],
  space: StagingSpace,
): Promise<BatchFailure | undefined> {
  if ('fault' in item) return failureRow(item.path, item.fault);
  const { file } = item;
  space.take();
  try {
    const writer = await beginBatchFile(files, file);
    staged.push({ file, writer });
    return undefined;
  } catch (error) {
    space.release(1);
    return failureRow(file.path, error);
  }
}

/** Files whose conditions do not hold any more after all bytes have come. */
async function changedMeanwhile(
  files: SandboxFiles,
  staged: readonly StagedFile[],
): Promise<BatchFailure[]> {
  const failures: BatchFailure[] = [];
  for (const { file } of staged) {
    const precondition = conditionOf(file);
    if (precondition === undefined || precondition(await etagAt(files, file.path))) continue;
    const { path } = file;
    const message = `${path} is not in the state that its condition names.`;
    failures.push(failureRow(path, new SandportFault('precondition_failed', message, { path })));
  }
  return failures;
}

async function etagAt(files: SandboxFiles, path: string): Promise<string | undefined> {
  try {
    return (await files.stat(parseGuestPath(path))).etag;
  } catch (error) {
    if (error instanceof SandportFault) return undefined;
    throw error;
  }
}

async function commitAll(staged: readonly StagedFile[]): Promise<BatchWriteResult> {
  const rows: Row[] = [];
  for (const { file, writer } of staged) {
    try {
      rows.push(await commit(file.path, writer));
    } catch (error) {
      const done = rows.length;
      rows.push(failureRow(file.path, error));
      throw batchFailed(
        done === 0
          ? `${file.path} could not be put in its place, so none of the files was written.`
          : `${file.path} could not be put in its place after ${done} files had been written; \`results\` names them.`,
        rows,
      );
    }
  }
  return tally(rows);
}

function checkCount(count: number, rest: string): void {
  if (count < maxBatchFiles) return;
  throw new SandportFault(
    'payload_too_large',
    `A batch takes up to ${maxBatchFiles} files; ${rest}.`,
    { limit_entries: maxBatchFiles },
  );
}
