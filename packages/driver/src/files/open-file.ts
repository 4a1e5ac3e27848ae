import type { FileEntry } from '@sandport/protocol';
import type { Readable, Writable } from 'node:stream';

/** User and group inside the sandbox; undefined owner means the sandbox's default user. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/** Says whether the file that is there (its ETag, undefined: nothing) may be written over. */
export type WritePrecondition = (etag: string | undefined) => boolean;

export interface PatchFileOptions {
  /** Where the bytes go, in bytes from the start. @default the end of the file at `commit` */
  readonly offset?: number;
  /** Make missing parent directories, owned like the file. @default true */
  readonly createParents?: boolean;
  /** Permission bits. @default those of the file that is there; of a new one 0o644 */
  readonly mode?: number;
  /**
   * Owner; what is left out is the file's that is there, of a new one (and of new parents) the
   * sandbox's default user.
   */
  readonly owner?: Partial<FileOwner>;
  /** Time of the last change, nanoseconds since 1970. @default now */
  readonly mtimeNs?: bigint;
  /** Looked at before the first byte, and again in the moment in which the file appears. */
  readonly precondition?: WritePrecondition;
  /** `commit` waits until the disk has the file and its name. @default false */
  readonly durable?: boolean;
}

export type WriteFileOptions = Omit<PatchFileOptions, 'offset'>;

/** A regular file that is open for reading. One file, whatever is renamed meanwhile. */
export interface OpenFile extends AsyncDisposable {
  readonly entry: FileEntry;
  /** Strong validator of these contents: changes whenever the file does. Quoted, as in HTTP. */
  readonly etag: string;
  /** The validator of the same file at this moment; of a closed one, that it had then. */
  currentEtag(): string;
  /**
   * All bytes of a file of at most `maxBytes`, at once: for very many small files, where a stream
   * for each takes longer than the bytes. Undefined for a larger one. Does not close the file.
   * @throws `path_busy` when it is shorter than its size was
   */
  readSmall(maxBytes: number): Buffer | undefined;
  /**
   * Reads `[start, end)`; the whole file when left out. Ends with an error when the file turns out
   * shorter than its size was. Closes the file at its end.
   */
  stream(range?: { start: number; end: number }): Readable;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** One atomic write under way. Either `commit` or `abort` must be called; disposing aborts. */
export interface FileWriter extends AsyncDisposable {
  /** Takes the bytes. Write errors come as `SandportFault` (`disk_full`). */
  readonly stream: Writable;
  /**
   * Takes all bytes at once, instead of `stream`: for very many small files, where a stream for
   * each takes longer than the bytes. @throws `disk_full`
   */
  writeSmall(contents: Uint8Array): void;
  /** After `stream` has finished: makes the file visible. @throws `precondition_failed` */
  commit(): Promise<WrittenFile>;
  /** Removes the temporary file; the old file is untouched. Idempotent. */
  abort(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface WrittenFile {
  /** Bytes that were written. */
  readonly bytes: number;
  /** Bytes that the file has now. */
  readonly size: number;
  readonly etag: string;
}
