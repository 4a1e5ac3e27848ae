import type { SandboxFiles } from '@sandport/driver';
import { type BatchRemoveResult, parseGuestPath, SandportFault } from '@sandport/protocol';
import { failureRow, tally } from './batch-row.ts';

export interface BatchRemoveOptions {
  readonly paths: readonly string[];
  /** Remove directories with all that is in them. @default true */
  readonly recursive?: boolean | undefined;
  /** A missing path is a failure. @default false */
  readonly must_exist?: boolean | undefined;
}

/** Removes one path after the other; one that fails does not stop the rest. */
export async function removeEach(
  files: SandboxFiles,
  { paths, recursive = true, must_exist: mustExist = false }: BatchRemoveOptions,
  signal: AbortSignal,
): Promise<BatchRemoveResult> {
  const results: BatchRemoveResult['results'] = [];
  for (const path of paths) {
    try {
      await files.remove(parseGuestPath(path), { recursive, signal });
      results.push({ path, ok: true });
    } catch (error) {
      const isMissing = error instanceof SandportFault && error.code === 'file_not_found';
      results.push(isMissing && !mustExist ? { path, ok: true } : failureRow(path, error));
    }
  }
  return tally(results);
}
