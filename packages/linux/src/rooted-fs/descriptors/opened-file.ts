import { closeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { ByteString } from '../../ffi/byte-string.ts';
import { O_NOCTTY, O_NONBLOCK, O_PATH, O_RDONLY } from '../../ffi/constants.ts';
import { reopen } from '../../ffi/file-calls.ts';
import { DescriptorReadable } from './descriptor-streams.ts';
import { statDescriptor } from '../attributes/entry.ts';
import { type FileStat, etagOf } from '../attributes/file-stat.ts';
import { GuardedDescriptor } from './guarded-descriptor.ts';
import type { IdMapping } from '../attributes/id-mapping.ts';
import { readWhole } from './whole-transfers.ts';
import type { RootDirectory } from '../paths/root-directory.ts';
import { Refusal, rootedFsErrorOf } from '../rooted-fs-error.ts';

export interface ByteRange {
  /** First byte. @default 0 */
  readonly start?: number;
  /** Byte after the last one; at most the size. @default the size */
  readonly end?: number;
}

/**
 * A regular file that is open for reading: one file, whatever is renamed meanwhile. The guest may
 * write into it while it is read, as it may for any reader inside.
 */
export class OpenedFile implements AsyncDisposable {
  readonly stat: FileStat;
  /** Quoted; changes whenever the contents do. */
  readonly etag: string;
  readonly #file: GuardedDescriptor;
  readonly #path: string;

  constructor(fd: number, path: string, stat: FileStat, etag: string) {
    this.#file = new GuardedDescriptor(fd);
    this.#path = path;
    this.stat = stat;
    this.etag = etag;
  }

  /** For synchronous calls only. @throws Error when it is closed */
  get fd(): number {
    return this.#file.fd;
  }

  /** The ETag that the same file has at this moment; of a closed one, that it had then. */
  currentEtag(): string {
    return etagOf(this.#file.stat);
  }

  /** All bytes, synchronously; undefined when they are more. @throws RootedFsError `truncated` */
  readSmall(maxBytes: number): Buffer | undefined {
    const { size } = this.stat;
    if (size > maxBytes) return undefined;
    const bytes = Buffer.allocUnsafe(size);
    try {
      if (readWhole(this.#file.fd, bytes, 0) < size) throw new Refusal('truncated');
    } catch (error) {
      throw rootedFsErrorOf(error, this.#path);
    }
    return bytes;
  }

  /** @throws RangeError; the stream ends with `truncated` when the file became shorter. Closes at its end. */
  stream(range: ByteRange = {}): Readable {
    const start = range.start ?? 0;
    const end = range.end ?? this.stat.size;
    const valid = Number.isSafeInteger(start) && Number.isSafeInteger(end);
    if (!valid || start < 0 || start > end || end > this.stat.size) {
      throw new RangeError(`no range ${start}-${end} in a file of ${this.stat.size} bytes`);
    }
    return new DescriptorReadable(this.#file, this.#path, start, end);
  }

  /** Resolves when the descriptor is closed. Idempotent. */
  close(): Promise<void> {
    return this.#file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** @throws SystemError, Refusal */
export function openRegularFile(
  root: RootDirectory,
  bytes: ByteString,
  path: string,
  ids: IdMapping,
): OpenedFile {
  // O_PATH opens nothing yet: a FIFO or a device does not notice. What it is decides.
  const handle = root.open(bytes, O_PATH);
  try {
    return openHandle(handle, path, ids);
  } finally {
    closeSync(handle);
  }
}

/**
 * The regular file that an O_PATH descriptor, which stays open, stands for.
 * @throws SystemError, Refusal
 */
export function openHandle(handle: number, path: string, ids: IdMapping): OpenedFile {
  const { type } = statDescriptor(handle);
  if (type === 'directory') throw new Refusal('is_directory', { fileType: type });
  if (type !== 'file') throw new Refusal('not_a_regular_file', { fileType: type });
  const fd = reopen(handle, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  try {
    const raw = statDescriptor(fd);
    if (raw.size > BigInt(Number.MAX_SAFE_INTEGER)) throw new Refusal('io', { errno: 'EFBIG' });
    return new OpenedFile(fd, path, ids.guestStat(raw), etagOf(raw));
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
