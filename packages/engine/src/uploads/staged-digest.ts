import { createHash } from 'node:crypto';
import type { SandboxFiles, StagedFileRef } from '@sandport/driver';

/** SHA-256 of all bytes of a staged file. */
export async function sha256OfStaged(files: SandboxFiles, ref: StagedFileRef): Promise<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of await files.staged.read(ref)) hash.update(chunk);
  return hash.digest();
}
