import { truncate } from 'node:fs/promises';
import { runProgram } from '../processes/run-program.ts';
import { listMounts } from './list-mounts.ts';

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
  await runProgram('losetup', ['--set-capacity', mount.source]);
  return mount.source;
}
