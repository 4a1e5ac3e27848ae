import { open, rm, stat } from 'node:fs/promises';
import { SystemError } from '../ffi/system-error.ts';
import { ProgramError } from '../processes/program-error.ts';
import { runProgram } from '../processes/run-program.ts';
import { setImageSize } from './image-size.ts';

export interface DiskImageOptions {
  /** Trusted path of the image; must not exist. */
  readonly file: string;
  /** Trusted path of an empty directory. */
  readonly mountPoint: string;
  /** What fits in it, file system included. It takes room on the host only as it fills. */
  readonly sizeBytes: number;
  /** With a journal it is in order after a crash of the machine, and writes cost more. @default false */
  readonly journal?: boolean;
}

/**
 * Makes a disk of a fixed size in a sparse file (ext4) and mounts it, nosuid and nodev. Unmounting frees the loop device. On an error
 * nothing is left.
 */
export async function createDiskImage(options: DiskImageOptions): Promise<void> {
  const { file, sizeBytes, journal = false } = options;
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.truncate(sizeBytes);
  } finally {
    await handle.close();
  }
  try {
    const features = `${journal ? '' : '^'}has_journal,^resize_inode`;
    const extended = 'lazy_itable_init=1,nodiscard';
    await runProgram('mkfs.ext4', ['-q', '-F', '-m', '0', '-O', features, '-E', extended, file]);
    await mount(file, options.mountPoint);
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

/** Mounts an image again, as after a restart of the machine; what that left in it is put in order. */
export async function mountDiskImage(
  options: Pick<DiskImageOptions, 'file' | 'mountPoint'>,
): Promise<void> {
  const { file, mountPoint } = options;
  await repair(file);
  await mount(file, mountPoint);
}

async function mount(file: string, mountPoint: string): Promise<void> {
  await runProgram('mount', [
    '-t',
    'ext4',
    '-o',
    'loop,nosuid,nodev,noatime',
    '--',
    file,
    mountPoint,
  ]);
}

/** Puts in order what can be without loss. @throws Error when more is wrong, or it is in use */
async function repair(file: string): Promise<void> {
  try {
    await runProgram('e2fsck', ['-p', file]);
  } catch (error) {
    // 1: repaired.
    if (!(error instanceof ProgramError && error.exitCode === 1)) throw error;
  }
}

/**
 * Makes a mounted disk larger. On an error it is as before.
 * @throws SystemError EPERM without the capability CAP_SYS_RESOURCE
 */
export async function resizeDiskImage(
  options: Pick<DiskImageOptions, 'file' | 'mountPoint' | 'sizeBytes'>,
): Promise<void> {
  const { file, mountPoint, sizeBytes } = options;
  const { size: previousBytes } = await stat(file);
  const device = await setImageSize(file, mountPoint, sizeBytes);
  try {
    await runProgram('resize2fs', [device]);
  } catch (error) {
    await setImageSize(file, mountPoint, previousBytes);
    throw /Permission denied/.test(String(error)) ? new SystemError('EPERM', 'resize2fs') : error;
  }
}
