import type { SandboxFiles } from '@sandport/driver';
import { type FileEntry, type GuestPath, parseGuestPath, SandportFault } from '@sandport/protocol';

/** What a link leads to; undefined for one that leads nowhere. */
export async function ledTo(
  files: SandboxFiles,
  directory: GuestPath,
  { name }: FileEntry,
): Promise<FileEntry | undefined> {
  try {
    return await files.stat(parseGuestPath(`${directory.replace(/\/+$/, '')}/${name}`));
  } catch (error) {
    if (error instanceof SandportFault) return undefined;
    throw error;
  }
}
