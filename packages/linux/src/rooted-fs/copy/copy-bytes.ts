import { read, write } from 'node:fs';
import { promisify } from 'node:util';
import { readWhole, refuseNothing, writeWhole } from '../descriptors/whole-transfers.ts';

const readInPool = promisify(read);
const writeInPool = promisify(write);

/** So many bytes are copied at once, without leaving this thread. */
export const SMALL_COPY_BYTES = 128 * 1024;
/** Small enough to stay in the processor's cache between the read and the write. */
const CHUNK_BYTES = 256 * 1024;

export interface CopyBytesOptions {
  /** First byte in the source. */
  readonly start: number;
  readonly lengthBytes: number;
  /** Place in the target; null: its end, of a descriptor that is open for appending. */
  readonly position: number | null;
  /** Told of every number of bytes that was written. */
  readonly onWritten?: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Copies bytes between two open files, a larger number in the thread pool. Both descriptors must
 * stay open until it resolves.
 * @returns how many: fewer than asked for when the source ends before @throws SystemError, AbortError
 */
export async function copyBytes(
  from: number,
  to: number,
  options: CopyBytesOptions,
): Promise<number> {
  const { start, lengthBytes, position, signal, onWritten } = options;
  if (lengthBytes <= SMALL_COPY_BYTES) return copySmall(from, to, options);
  const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, lengthBytes));
  let copied = 0;
  while (copied < lengthBytes) {
    signal?.throwIfAborted();
    const wanted = Math.min(buffer.length, lengthBytes - copied);
    const { bytesRead } = await readInPool(from, buffer, 0, wanted, start + copied);
    if (bytesRead === 0) break;
    for (let done = 0; done < bytesRead; ) {
      const place = position === null ? null : position + copied + done;
      const { bytesWritten } = await writeInPool(to, buffer, done, bytesRead - done, place);
      done += refuseNothing(bytesWritten);
      onWritten?.(bytesWritten);
    }
    copied += bytesRead;
  }
  return copied;
}

const smallBuffer = Buffer.allocUnsafeSlow(SMALL_COPY_BYTES);

function copySmall(from: number, to: number, options: CopyBytesOptions): number {
  const { start, lengthBytes, position, onWritten } = options;
  const copied = readWhole(from, smallBuffer.subarray(0, lengthBytes), start);
  writeWhole(to, smallBuffer.subarray(0, copied), position, onWritten);
  return copied;
}
