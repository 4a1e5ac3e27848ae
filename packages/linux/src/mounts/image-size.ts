import { execFile } from 'node:child_process';
import { truncate } from 'node:fs/promises';
import { promisify } from 'node:util';
import { listMounts } from './list-mounts.ts';

const run = promisify(execFile);

/**
 * Makes a mounted image file larger, or smaller again where its file system has not used that; the
 * file system is still to be told. Both paths are trusted.
 * @returns the loop device @throws Error when nothing is mounted there
 */
export async function setImageSize(
  file: string,
  mountPoint: string,
  sizeBytes: number,
): Promise<string> {
  const mount = (await listMounts()).findLast((each) => each.mountPoint === mountPoint);
  if (mount === undefined) throw new Error(`${mountPoint}: nothing is mounted here`);
  await truncate(file, sizeBytes);
  await run('losetup', ['--set-capacity', mount.source]);
  return mount.source;
}
