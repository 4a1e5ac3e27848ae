import { closeSync, read as readCallback, readSync } from 'node:fs';
import { promisify } from 'node:util';
import type { ByteString } from '../ffi/byte-string.ts';
import { O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDONLY } from '../ffi/constants.ts';
import { openat, readlinkat, reopen } from '../ffi/file-calls.ts';
import { errnoOf } from '../ffi/system-error.ts';
import { statDescriptor } from '../rooted-fs/attributes/entry.ts';
import type { RawStat } from '../rooted-fs/attributes/file-stat.ts';
import type { LayerPair } from './layer-level.ts';

const read = promisify(readCallback);
const CHUNK_BYTES = 256 * 1024;

/** Mode and owner are the same. @param idBase host id of the upper layer's id 0 */
export function sameAttributes(upper: RawStat, lower: RawStat, idBase: number): boolean {
  return (
    upper.mode === lower.mode &&
    upper.hostUid - idBase === lower.hostUid &&
    upper.hostGid - idBase === lower.hostGid
  );
}

/** Both are symlinks; undefined when one has vanished. */
export function sameTarget({ upper, lower }: LayerPair, name: ByteString): boolean | undefined {
  try {
    return lower !== undefined && readlinkat(upper, name) === readlinkat(lower, name);
  } catch {
    return undefined;
  }
}

/** Both are files of one size; undefined when the upper one has vanished or changed. */
export async function sameContents(
  pair: LayerPair,
  name: ByteString,
  size: number,
  signal: AbortSignal | undefined,
): Promise<boolean | undefined> {
  const upper = openFile(pair.upper, name, size);
  try {
    const lower = pair.lower === undefined ? undefined : openFile(pair.lower, name, size);
    try {
      if (upper === undefined || lower === undefined) return undefined;
      return await sameBytes(upper, lower, size, signal);
    } finally {
      if (lower !== undefined) closeSync(lower);
    }
  } finally {
    if (upper !== undefined) closeSync(upper);
  }
}

/** Opens a regular file of that size itself; nothing else is opened, whatever took its name. */
function openFile(directory: number, name: ByteString, size: number): number | undefined {
  let handle: number | undefined;
  try {
    handle = openat(directory, name, O_PATH | O_NOFOLLOW);
    const stat = statDescriptor(handle);
    if (stat.type !== 'file' || stat.size !== BigInt(size)) return undefined;
    return reopen(handle, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/** One chunk is read here, more in the thread pool. */
async function sameBytes(
  upper: number,
  lower: number,
  size: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const left = Buffer.allocUnsafe(Math.min(size, CHUNK_BYTES));
  const right = Buffer.allocUnsafe(left.length);
  if (size <= CHUNK_BYTES) {
    const length = readSync(upper, left, 0, size, 0);
    return length === readSync(lower, right, 0, size, 0) && left.equals(right);
  }
  for (let position = 0; position < size; position += CHUNK_BYTES) {
    signal?.throwIfAborted();
    const [a, b] = await Promise.all([
      read(upper, left, 0, left.length, position),
      read(lower, right, 0, right.length, position),
    ]);
    if (a.bytesRead !== b.bytesRead) return false;
    if (!left.subarray(0, a.bytesRead).equals(right.subarray(0, a.bytesRead))) return false;
  }
  return true;
}
