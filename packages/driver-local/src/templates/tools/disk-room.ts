import { statfs } from 'node:fs/promises';
import { SandportFault } from '@sandport/protocol';

/** What must stay free of the disk, whatever is written for a template. */
const reservedBytes = 512 * 1024 * 1024;
const reservedInodes = 10_000;

/** @throws SandportFault `disk_full` before the disk really is */
export async function refuseFullDisk(directory: string): Promise<void> {
  const { bavail, bsize, files, ffree } = await statfs(directory);
  // File systems without a fixed number of inodes tell 0.
  if (bavail * bsize >= reservedBytes && (files === 0 || ffree >= reservedInodes)) return;
  throw new SandportFault('disk_full', 'The disk is full; the template was not built.');
}
