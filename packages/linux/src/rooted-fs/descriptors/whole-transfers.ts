import { readSync, writeSync } from 'node:fs';
import { SystemError } from '../../ffi/system-error.ts';

/**
 * Fills `bytes` with what the file has from `start` on, in this thread.
 * @returns how many: fewer than there is room for when the file ends before @throws SystemError
 */
export function readWhole(fd: number, bytes: Uint8Array, start: number): number {
  let done = 0;
  while (done < bytes.length) {
    const got = readSync(fd, bytes, done, bytes.length - done, start + done);
    if (got === 0) break;
    done += got;
  }
  return done;
}

/**
 * Writes all of `bytes`, in this thread.
 * @param position null: where the descriptor is, or the end of one that is open for appending
 * @param onWritten told of every number of bytes that was written
 * @throws SystemError
 */
export function writeWhole(
  fd: number,
  bytes: Uint8Array,
  position: number | null = null,
  onWritten: (bytes: number) => void = () => {},
): void {
  for (let done = 0; done < bytes.length; ) {
    const place = position === null ? null : position + done;
    const written = refuseNothing(writeSync(fd, bytes, done, bytes.length - done, place));
    done += written;
    onWritten(written);
  }
}

/** A write that takes no byte would otherwise be tried for ever. @throws SystemError */
export function refuseNothing(bytesWritten: number): number {
  if (bytesWritten === 0) throw new SystemError('EIO', 'write');
  return bytesWritten;
}
