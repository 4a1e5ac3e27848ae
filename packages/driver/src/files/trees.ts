import type { FileEntry } from '@sandport/protocol';
import type { FileOwner, OpenFile } from './open-file.ts';
import type { Readable } from 'node:stream';

export interface WalkOptions {
  /** How many levels below the path; 1: the entries of the directory alone. @default all */
  readonly depth?: number;
  /** Goes on behind the entry that gave this {@link WalkedEntry.cursor}. */
  readonly cursor?: string;
  /** Called with every directory before it is entered; false leaves out what is in it. */
  readonly enter?: (directory: WalkedEntry) => boolean;
  readonly signal?: AbortSignal;
}

/** One entry of a walk; good until the next one is asked for. */
export interface WalkedEntry {
  readonly entry: FileEntry;
  /** Path below the walk's start, without a leading slash; U+FFFD for what is not UTF-8. */
  readonly relativePath: string;
  /** The same, byte by byte. */
  readonly relativeBytes: Buffer;
  readonly mtimeNs: bigint;
  /** The same for all names of one file; undefined of a file with one name only. */
  readonly hardLinkKey: string | undefined;
  /** Text of a symlink, byte by byte. */
  readonly targetBytes: Buffer | undefined;
  /** Opaque; see {@link WalkOptions.cursor}. */
  readonly cursor: string;
  /** Opens the regular file itself; undefined when it is gone or something else by now. */
  open(): OpenFile | undefined;
}

export interface TreeWriterOptions {
  /** Owner of all that is made; undefined: as each entry says. @default the sandbox's user */
  readonly owner?: FileOwner | 'from entries';
}

/** What an archive says of an entry. */
export interface TreeEntryAttributes {
  /** 0o0000-0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
}

/**
 * Writes a tree below one directory, for entries that come from outside. Names are relative bytes,
 * as `a/b`; missing parents are made. No entry can land outside of the directory: a name that is
 * absolute or has `..`, and one whose way runs through a symlink, is refused. A directory stays
 * when it is there; a file or a symlink replaces a file or a symlink, atomically.
 * @throws SandportFault `unsafe_archive` (with `entry`), `already_exists`, `disk_full`, …
 */
export interface TreeWriter extends AsyncDisposable {
  directory(name: Buffer, attributes: TreeEntryAttributes): Promise<void>;
  /** Takes all of `contents`, which must have `size` bytes. */
  file(
    name: Buffer,
    attributes: TreeEntryAttributes,
    contents: Readable | Buffer,
    size: number,
  ): Promise<void>;
  symlink(name: Buffer, attributes: TreeEntryAttributes, target: Buffer): Promise<void>;
  /** A further name for a file that this writer has written. */
  hardLink(name: Buffer, existing: Buffer): Promise<void>;
  /** Gives directories their modes and times, which later entries would have changed. */
  finish(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
