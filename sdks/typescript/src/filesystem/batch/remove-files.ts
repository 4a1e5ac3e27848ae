import { batchRemoveResultSchema, maxBatchFiles } from '@sandport/protocol';
import type { FilesApi } from '../files-api.ts';
import type { SignalOptions } from '../progress.ts';
import { type BatchFailure, failureOf } from './batch-failure.ts';

export interface RemoveFilesOptions extends SignalOptions {
  /** Remove directories with all that is in them. @default true */
  recursive?: boolean | undefined;
  /** A path that does not exist is a failure. @default false */
  mustExist?: boolean | undefined;
}

export type RemoveFileResult = { readonly ok: true; readonly path: string } | BatchFailure;

/** Removes many files, symlinks and directories. @returns results in the order of the paths */
export async function removeFiles(
  api: FilesApi,
  paths: Iterable<string>,
  options: RemoveFilesOptions,
): Promise<RemoveFileResult[]> {
  const all = [...paths];
  const results: RemoveFileResult[] = [];
  for (let start = 0; start < all.length; start += maxBatchFiles) {
    const body = {
      paths: all.slice(start, start + maxBatchFiles),
      recursive: options.recursive,
      must_exist: options.mustExist,
    };
    const answer = await api.post('/batch/remove', body, batchRemoveResultSchema, options);
    results.push(...answer.results.map((each) => (each.ok ? each : failureOf(each))));
  }
  return results;
}
