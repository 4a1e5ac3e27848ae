import type { GuestPath } from '@sandport/protocol';
import type { Readable, Writable } from 'node:stream';
import type { WriteFileOptions, WrittenFile } from './open-file.ts';

/** Finds a staged file again, also after a restart of the daemon. Plain JSON. */
export interface StagedFileRef {
  /** Absolute path of the temporary file in the sandbox. */
  readonly path: string;
  /** What file it must be; another one at that path is not touched. */
  readonly identity: string;
}

/** Bytes on their way to the end of a staged file. Disposing closes it; what was written stays. */
export interface StagedAppend extends AsyncDisposable {
  /** Takes the bytes. Errors come as `SandportFault` (`disk_full`). */
  readonly stream: Writable;
  /** Bytes that the file has taken so far; all of them once `close` has resolved. */
  readonly bytes: number;
  /** Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Files that come in several pieces. The bytes are kept beside the target, on the sandbox's own
 * disk, under a temporary name that the guest can see, and take the target's name when all are
 * there. A guest that meddles with the temporary file can break the upload, nothing else.
 */
export interface StagedFiles {
  /** Makes an empty staged file beside `path`. @throws as `SandboxFiles.write` */
  create(
    path: GuestPath,
    options?: Pick<WriteFileOptions, 'owner' | 'precondition'>,
  ): Promise<StagedFileRef>;

  /** Bytes that are there; undefined when the file is gone. */
  size(ref: StagedFileRef): Promise<number | undefined>;

  /**
   * Begins to append at `offset`; what is behind it is cut off.
   * @throws `file_not_found`, `path_busy` when there are fewer bytes
   */
  append(ref: StagedFileRef, offset: number): Promise<StagedAppend>;

  /** Cuts the file to its first `size` bytes. @throws `file_not_found` */
  truncate(ref: StagedFileRef, size: number): Promise<void>;

  /** Reads all of it, for digests. @throws `file_not_found` */
  read(ref: StagedFileRef): Promise<Readable>;

  /**
   * Puts the file at `path`, as the commit of a write does.
   * @throws `file_not_found`, `precondition_failed`, `is_directory`, …
   */
  publish(ref: StagedFileRef, path: GuestPath, options?: WriteFileOptions): Promise<WrittenFile>;

  /** Removes it; no error when it is gone. */
  discard(ref: StagedFileRef): Promise<void>;

  /**
   * Removes what this sandbox has of a staged file of another one, whose disk it began with. One on
   * a volume is no copy, and stays. No error when there is none.
   */
  discardCopy(ref: StagedFileRef): Promise<void>;
}
