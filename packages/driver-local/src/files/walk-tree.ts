import type { OpenFile, WalkedEntry, WalkOptions } from '@sandport/driver';
import type { RootedFs, TreeEntry } from '@sandport/linux';
import { type FileEntry, type GuestPath, SandportFault } from '@sandport/protocol';
import { openFileAt } from './file-access.ts';
import { fileEntry, joinPath } from './file-entry.ts';
import { about, fileFault } from './file-fault.ts';

/** Entries of a directory, or of all below it, in tree order. */
export async function* walkTree(
  root: RootedFs,
  path: GuestPath,
  options: WalkOptions,
): AsyncIterable<WalkedEntry> {
  const { depth, cursor, enter, signal } = options;
  try {
    const entries = root.walk(path, {
      ...(depth === undefined ? {} : { depth }),
      ...(cursor === undefined ? {} : { after: parseCursor(cursor) }),
      ...(enter === undefined ? {} : { enter: (entry) => enter(new RootedEntry(path, entry)) }),
      ...(signal === undefined ? {} : { signal }),
    });
    for await (const entry of entries) yield new RootedEntry(path, entry);
  } catch (error) {
    throw fileFault(error, path);
  }
}

/** Most of it is made only when it is asked for: a long walk asks little of each entry. */
class RootedEntry implements WalkedEntry {
  readonly #start: string;
  readonly #entry: TreeEntry;
  #relativePath: string | undefined;
  #shown: FileEntry | undefined;

  constructor(start: string, entry: TreeEntry) {
    this.#start = start;
    this.#entry = entry;
  }

  get entry(): FileEntry {
    const { name, nameBytes, stat } = this.#entry;
    this.#shown ??= fileEntry({ name, path: this.#path, nameBytes }, stat);
    return this.#shown;
  }

  get relativePath(): string {
    this.#relativePath ??= this.#entry.relativePath;
    return this.#relativePath;
  }

  get relativeBytes(): Buffer {
    return this.#entry.relativeBytes;
  }

  get mtimeNs(): bigint {
    return this.#entry.stat.mtimeNs;
  }

  get hardLinkKey(): string | undefined {
    const { type, nlink } = this.#entry.stat;
    return type === 'file' && nlink > 1 ? this.#entry.identity : undefined;
  }

  get targetBytes(): Buffer | undefined {
    return this.#entry.targetBytes;
  }

  get cursor(): string {
    return this.relativeBytes.toString('base64url');
  }

  open(): OpenFile | undefined {
    const file = about(this.#path, () => this.#entry.openFile());
    return file === undefined ? undefined : openFileAt(this.#path, file);
  }

  get #path(): string {
    return joinPath(this.#start, this.relativePath);
  }
}

/** Path below the start of a list, which is the list's cursor. @throws SandportFault */
export function parseCursor(cursor: string): Buffer {
  const bytes = Buffer.from(cursor, 'base64url');
  const isOurs = bytes.toString('base64url') === cursor && isPlaceInTree(bytes.toString('latin1'));
  if (isOurs) return bytes;
  throw new SandportFault('invalid_request', '`cursor` is not one that a listing gave.', {
    field: 'cursor',
  });
}

const isPlaceInTree = (path: string) =>
  path.split('/').every((name) => !['', '.', '..'].includes(name) && !name.includes('\0'));
