import { readFileSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cgroupDirectories } from '@sandport/linux';
import { SandportFault } from '@sandport/protocol';
import type { SandboxLayout } from '../layout.ts';

/** Left free beside the image, for whatever else is written meanwhile. */
const spareBytes = 64 * 1024 * 1024;

/** Bytes of images that are being written, by the file system they are for. */
const promised = new Map<string, number>();

/**
 * Makes sure that the memory of a sandbox fits on the disk before anything is written: a sandbox
 * whose image does not fit is lost. Dispose of the result when the image is there.
 * @throws SandportFault `disk_full`
 */
export async function reserveImageSpace(
  layout: SandboxLayout,
  imageDir: string,
): Promise<Disposable> {
  const neededBytes = await memoryUse(layout.cgroup);
  const { bavail, bsize, type } = statfsSync(dirname(imageDir));
  const key = `${type}:${bsize}`;
  const promisedBytes = promised.get(key) ?? 0;
  if (bavail * bsize - promisedBytes < neededBytes + spareBytes)
    throw new SandportFault(
      'disk_full',
      `The disk has no room for the memory of the sandbox (${neededBytes} bytes); it runs on.`,
    );
  promised.set(key, promisedBytes + neededBytes);
  return {
    [Symbol.dispose]: () => promised.set(key, (promised.get(key) ?? 0) - neededBytes),
  };
}

/** Bytes that a group's processes hold: no image of them is larger. 0 when it cannot be known. */
async function memoryUse(cgroup: string): Promise<number> {
  const directories = await cgroupDirectories(cgroup);
  const files = directories.flatMap((directory) =>
    ['memory.usage_in_bytes', 'memory.current'].map((name) => join(directory, name)),
  );
  return Math.max(0, ...files.map(readNumber));
}

function readNumber(file: string): number {
  try {
    const value = Number(readFileSync(file, 'utf8'));
    return Number.isFinite(value) ? value : 0;
  } catch {
    return 0;
  }
}
