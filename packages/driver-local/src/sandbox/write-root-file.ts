import { finished } from 'node:stream/promises';
import type { RootedFs } from '@sandport/linux';

/** Owner of what the daemon itself puts into a sandbox. */
export const rootOwner = { uid: 0, gid: 0 };

/** Puts a small file into a sandbox, with the directories above it, as one of its root user. */
export async function writeRootFile(
  root: RootedFs,
  path: string,
  bytes: Buffer,
  mode: number,
): Promise<void> {
  const file = root.createWriter(path, { createParents: true, mode, owner: rootOwner });
  try {
    file.stream.end(bytes);
    await finished(file.stream);
    file.commit();
  } finally {
    await file.abort();
  }
}
