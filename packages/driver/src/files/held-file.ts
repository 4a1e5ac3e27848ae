import type { FileEntry } from '@sandport/protocol';
import type { FileOwner } from './open-file.ts';

export interface HoldFileOptions {
  /** @default true */
  readonly read?: boolean;
  /** @default false */
  readonly write?: boolean;
  /** Every write goes to the end. @default false */
  readonly append?: boolean;
  /** Cut what is there to nothing; only with `write`. @default false */
  readonly truncate?: boolean;
  /** Make an empty file where nothing is; parents must be there. @default false */
  readonly create?: boolean;
  /** With `create`: refuse what is there. @default false */
  readonly exclusive?: boolean;
  /** Permission bits of a file that is made. @default 0o644 */
  readonly mode?: number;
}

/** What a held file is to have; what is left out stays as it is. */
export interface HeldFileChange {
  readonly sizeBytes?: number | undefined;
  readonly mode?: number | undefined;
  readonly owner?: Partial<FileOwner> | undefined;
  /** Nanoseconds since 1970. */
  readonly mtimeNs?: bigint | undefined;
}

/**
 * A regular file that is open to be read and written in place, anywhere: one file, whatever is
 * renamed meanwhile. Nothing of it is atomic: programs in the sandbox see every write at once.
 */
export interface HeldFile extends AsyncDisposable {
  /** Fills `into` from `position` on. @returns how many bytes; fewer only at the end of the file */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all of `bytes` at `position`; at the end, when it was opened to append. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  stat(): FileEntry;
  change(change: HeldFileChange): Promise<void>;
  /** Resolves when the disk has what was written. */
  sync(): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a file system has, as statvfs(3) tells it. */
export interface FileSystemSpace {
  readonly blockBytes: bigint;
  readonly blocks: bigint;
  readonly freeBlocks: bigint;
  /** Of them for users other than root. */
  readonly availableBlocks: bigint;
  readonly files: bigint;
  readonly freeFiles: bigint;
}
