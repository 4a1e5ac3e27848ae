import type { GuestPath } from '@sandport/protocol';
import type { Readable } from 'node:stream';
import type { WriteFileOptions, WrittenFile } from './open-file.ts';

/** Finds a staged file again, also after a restart of the daemon. Plain JSON. */
export interface StagedFileRef {
  /** Absolute path of the temporary file in the sandbox. */
  readonly path: string;
  /** What file it must be; another one at that path is not touched. */
  readonly identity: string;
}

/**
 * Files that come in several pieces. The bytes are kept beside the target, on the sandbox's own
 * disk, under a temporary name that the guest can see, and take the target's name when all are
 * there. A guest that meddles with the temporary file can break the upload, nothing else.
 */
export interface StagedFiles {
  /** Makes an empty staged file beside `path`. @throws as `SandboxFiles.write` */
  create(path: GuestPath, options?: Pick<WriteFileOptions, 'owner'>): Promise<StagedFileRef>;

  /** Bytes that are there; undefined when the file is gone. */
  size(ref: StagedFileRef): Promise<number | undefined>;

  /**
   * Appends `contents` at `offset`, which must be the file's size (what is behind it is cut off).
   * What came before an error of the stream stays.
   * @returns how many bytes came @throws `file_not_found`, `disk_full`
   */
  append(ref: StagedFileRef, offset: number, contents: Readable): Promise<number>;

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
}
