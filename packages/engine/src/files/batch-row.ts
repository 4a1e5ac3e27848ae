import { type BatchFailure, maxPathBytes, SandportFault } from '@sandport/protocol';

/** The row of a file that failed. Errors that are no faults are thrown on. */
export function failureRow(path: string, error: unknown): BatchFailure {
  if (!(error instanceof SandportFault)) throw error;
  const shown = path.length > maxPathBytes ? `${path.slice(0, maxPathBytes)}…` : path;
  return { path: shown, ok: false, error: error.message, code: error.code };
}

/** The answer of a batch of which nothing was done because of some of its files. */
export const batchFailed = (message: string, results: readonly unknown[]): SandportFault =>
  new SandportFault('batch_failed', message, { results });

/** How many rows succeeded and failed. */
export function tally<Row extends { readonly ok: boolean }>(
  results: Row[],
): { results: Row[]; succeeded: number; failed: number } {
  const succeeded = results.filter(({ ok }) => ok).length;
  return { results, succeeded, failed: results.length - succeeded };
}
