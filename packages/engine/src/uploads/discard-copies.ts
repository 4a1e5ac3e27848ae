import type { DriverSandbox, StagedFileRef } from '@sandport/driver';

/**
 * Removes from a sandbox what its disk, a copy, has of unfinished uploads to the sandbox that it was
 * copied from. What cannot be removed is a file too many, and no reason to fail.
 */
export async function discardCopies(
  { id, files }: Pick<DriverSandbox, 'id' | 'files'>,
  staged: readonly StagedFileRef[],
  log: (message: string, fields: Record<string, unknown>) => void,
): Promise<void> {
  for (const ref of staged)
    await files.staged.discardCopy(ref).catch((error: unknown) => {
      log('copy of an upload not removed', { sandbox: id, path: ref.path, error: String(error) });
    });
}
