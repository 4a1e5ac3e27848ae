import { closeSync, ftruncateSync } from 'node:fs';
import { O_NOCTTY, O_NONBLOCK, O_RDONLY, SEEK_DATA, SEEK_HOLE } from '../../ffi/constants.ts';
import { withFileOwner } from '../../ffi/credential-calls.ts';
import { cloneFile, copyRange, reopen, seekFile } from '../../ffi/file-calls.ts';
import { errnoOf } from '../../ffi/system-error.ts';
import { SMALL_COPY_BYTES, copyBytes } from './copy-bytes.ts';
import { statDescriptor } from '../attributes/entry.ts';
import { setAttributes, setOwnerWherePossible } from '../attributes/file-attributes.ts';
import { closeInBackground } from '../descriptors/guarded-descriptor.ts';
import type { Creation } from '../entries/make-directory.ts';
import { Refusal } from '../rooted-fs-error.ts';
import { type TemporaryFile, createTemporaryFile, discard } from '../write/temporary-file.ts';
import { TimeSlice } from '../../time-slice.ts';

export interface CopyFileOptions {
  /** Owner where the source's cannot be kept, in host ids. */
  readonly creation: Creation;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Copies a regular file, with mode, owner and time, to a temporary file in a directory.
 * @param handle O_PATH descriptor of the source @throws SystemError, Refusal `truncated`; AbortError
 */
export async function copyToTemporary(
  handle: number,
  directory: number,
  options: CopyFileOptions,
): Promise<TemporaryFile> {
  const { creation, signal } = options;
  const source = reopen(handle, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  let file: TemporaryFile | undefined;
  try {
    const { hostUid, hostGid } = creation;
    file = withFileOwner(hostUid, hostGid, () => createTemporaryFile(directory));
    const stat = statDescriptor(source);
    await copyContents(source, file.fd, Number(stat.size), signal);
    setOwnerWherePossible(file.fd, stat.hostUid, stat.hostGid);
    const { mode, mtimeNs } = stat;
    setAttributes(file.fd, { mode, mtimeNs }, statDescriptor(file.fd));
    return file;
  } catch (error) {
    if (file !== undefined) {
      discard(file, directory);
      closeInBackground(file.fd);
    }
    throw error;
  } finally {
    closeSync(source);
  }
}

/**
 * Copies the first `sizeBytes` of a file into an empty one: by sharing its blocks where the file
 * system can, else byte by byte without the holes.
 * @throws SystemError, Refusal `truncated` when the source is shorter; AbortError
 */
export async function copyContents(
  from: number,
  to: number,
  sizeBytes: number,
  signal?: AbortSignal,
): Promise<void> {
  if (sizeBytes > SMALL_COPY_BYTES && shareBlocks(from, to)) {
    // A source that grew meanwhile gave more.
    if (statDescriptor(to).size >= BigInt(sizeBytes)) ftruncateSync(to, sizeBytes);
    else throw new Refusal('truncated');
    return;
  }
  let at = 0;
  // A file can have a million pieces, each of which is copied without waiting for anything.
  const slice = new TimeSlice();
  while (at < sizeBytes) {
    signal?.throwIfAborted();
    if (slice.isOver) await slice.yield();
    const { start, end } = nextData(from, at, sizeBytes);
    const rest = await copyInKernel(from, to, { start, end, slice, signal });
    const lengthBytes = end - rest;
    const copied = await copyBytes(from, to, { start: rest, lengthBytes, position: rest, signal });
    if (copied < lengthBytes) throw new Refusal('truncated');
    at = end;
  }
  if (statDescriptor(to).size < BigInt(sizeBytes)) ftruncateSync(to, sizeBytes);
}

function shareBlocks(from: number, to: number): boolean {
  try {
    cloneFile(from, to);
    return true;
  } catch (error) {
    if (!isUnable(error)) throw error;
    return false;
  }
}

/** What file systems and kernels say that cannot do it for these two files. */
const isUnable = (error: unknown): boolean =>
  ['EOPNOTSUPP', 'ENOTTY', 'EXDEV', 'EINVAL', 'ENOSYS'].includes(errnoOf(error) ?? '');

/** How many bytes the kernel copies before others get their turn: some tenths of a millisecond. */
const SLICE_BYTES = 256 * 1024;

interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly slice: TimeSlice;
  readonly signal: AbortSignal | undefined;
}

/** Copies a stretch without its bytes coming here; where the rest begins, which is to be copied. */
async function copyInKernel(
  from: number,
  to: number,
  { start, end, slice, signal }: Stretch,
): Promise<number> {
  if (end - start <= SMALL_COPY_BYTES) return start;
  let at = start;
  try {
    while (at < end) {
      const copied = copyRange(from, to, at, Math.min(SLICE_BYTES, end - at));
      if (copied === 0) break;
      at += copied;
      if (slice.isOver) await slice.yield();
      signal?.throwIfAborted();
    }
  } catch (error) {
    if (!isUnable(error)) throw error;
  }
  return at;
}

/** The next stretch of a file that is no hole; empty, at the end, when there is none. */
function nextData(fd: number, at: number, sizeBytes: number): { start: number; end: number } {
  if (sizeBytes <= SMALL_COPY_BYTES) return { start: at, end: sizeBytes };
  try {
    const start = Math.min(seekFile(fd, at, SEEK_DATA), sizeBytes);
    return { start, end: Math.min(seekFile(fd, start, SEEK_HOLE), sizeBytes) };
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENXIO') return endOfData(fd, sizeBytes);
    if (errno !== 'EINVAL') throw error;
    return { start: at, end: sizeBytes };
  }
}

/** ENXIO is said behind the last data, and also of a file that became shorter. */
function endOfData(fd: number, sizeBytes: number): { start: number; end: number } {
  if (statDescriptor(fd).size < BigInt(sizeBytes)) throw new Refusal('truncated');
  return { start: sizeBytes, end: sizeBytes };
}
