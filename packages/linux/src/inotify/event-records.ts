import type { ByteString } from '../ffi/byte-string.ts';

/** What the kernel says about one directory or one name in it. */
export interface EventRecord {
  /** Number of the watch; -1 when the kernel's queue was full. */
  readonly watch: number;
  /** A set of IN_ flags. */
  readonly mask: number;
  /** Ties the two halves of a rename together; 0 otherwise. */
  readonly cookie: number;
  /** Empty when it is about the directory itself. */
  readonly name: ByteString;
}

const HEADER_BYTES = 16;

/** Reads struct inotify_event records (include/uapi/linux/inotify.h). */
export function* eventRecords(buffer: Buffer, length: number): Generator<EventRecord> {
  for (let offset = 0; offset + HEADER_BYTES <= length; ) {
    const nameBytes = buffer.readUInt32LE(offset + 12);
    const start = offset + HEADER_BYTES;
    // The name is padded with NULs to a multiple of the header's size.
    const padded = buffer.toString('latin1', start, start + nameBytes);
    const end = padded.indexOf('\0');
    yield {
      watch: buffer.readInt32LE(offset),
      mask: buffer.readUInt32LE(offset + 4),
      cookie: buffer.readUInt32LE(offset + 8),
      name: (end === -1 ? padded : padded.slice(0, end)) as ByteString, // Cut before the first NUL.
    };
    offset = start + nameBytes;
  }
}
