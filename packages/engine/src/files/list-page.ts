import { createHash } from 'node:crypto';
import type { SandboxFiles, WalkedEntry } from '@sandport/driver';
import { type FileEntry, type FileType, type GuestPath, maxPageEntries } from '@sandport/protocol';
import { compileGlob, type PathMatcher } from './glob.ts';

/** What one page holds at most, beside the entries that were asked for. A test sets less. */
export const pageLimits = {
  /** Of paths and link texts, in UTF-16 units. */
  textLength: 32 * 1024 * 1024,
  /** A page that looked for so long ends with what it has, in milliseconds. */
  timeMs: 20_000,
  /** The same with checksums. */
  checksumTimeMs: 5_000,
  checksumBytes: 256 * 1024 * 1024,
};

/** Files up to this length are read at once. */
const smallFileBytes = 64 * 1024;

export interface ListPageOptions {
  /** Also what is below. @default false, or true with a glob that has a slash */
  readonly recursive?: boolean;
  /** How many levels, when it is recursive. @default all */
  readonly depth?: number | undefined;
  /** Only entries whose relative path matches. @default all */
  readonly glob?: string | undefined;
  /** Also names that begin with a dot, and what is below them. @default true */
  readonly hidden?: boolean;
  /** Only entries of this type. @default all */
  readonly type?: FileType | undefined;
  /** With the SHA-256 of regular files. @default false */
  readonly checksum?: boolean;
  /** Most entries. @default 100,000 */
  readonly limit?: number | undefined;
  /** Goes on where another page ended. */
  readonly cursor?: string | undefined;
  readonly signal?: AbortSignal;
}

/** How a page ends: with a cursor when there is more. */
export interface PageEnd {
  readonly cursor: string | undefined;
}

/**
 * One page of a listing, in tree order; returns how it ends. An error after the first entry ends the
 * page early: the next one, which begins there, tells it.
 * @throws SandportFault of the path, the pattern or the cursor, before the first entry
 */
export async function* listPage(
  files: SandboxFiles,
  path: GuestPath,
  options: ListPageOptions,
): AsyncGenerator<FileEntry, PageEnd> {
  const page = new Page(options);
  let last: string | undefined;
  try {
    for await (const walked of files.walk(path, page.walkOptions())) {
      if (last !== undefined && page.isFull) return { cursor: last };
      if (page.wants(walked)) {
        const entry = page.checksums ? await withChecksum(walked, page) : walked.entry;
        if (page.isComplete) return { cursor: last };
        page.add(entry);
        yield entry;
      }
      last = walked.cursor;
    }
  } catch (error) {
    if (last === undefined || options.signal?.aborted === true) throw error;
    return { cursor: last };
  }
  return { cursor: undefined };
}

class Page {
  readonly checksums: boolean;
  readonly #options: ListPageOptions;
  readonly #glob: PathMatcher | undefined;
  readonly #endsAtMs: number;
  readonly #limit: number;
  #entries = 0;
  #textLength = 0;
  hashedBytes = 0;

  constructor(options: ListPageOptions) {
    this.#options = options;
    this.checksums = options.checksum === true;
    this.#glob = options.glob === undefined ? undefined : compileGlob(options.glob);
    this.#limit = options.limit ?? maxPageEntries;
    const { timeMs, checksumTimeMs } = pageLimits;
    this.#endsAtMs = performance.now() + (this.checksums ? checksumTimeMs : timeMs);
  }

  walkOptions() {
    const { glob, recursive = glob?.includes('/') ?? false, cursor, signal } = this.#options;
    const depth = recursive ? this.#options.depth : 1;
    return {
      enter: (directory: WalkedEntry) => this.#enters(directory),
      ...(depth === undefined ? {} : { depth }),
      ...(cursor === undefined ? {} : { cursor }),
      ...(signal === undefined ? {} : { signal }),
    };
  }

  /** No further entry fits. */
  get isComplete(): boolean {
    return this.#entries === this.#limit;
  }

  /** It took long enough, or is long enough, whatever was asked for. */
  get isFull(): boolean {
    const { textLength, checksumBytes } = pageLimits;
    if (this.#textLength > textLength || this.hashedBytes > checksumBytes) return true;
    return performance.now() > this.#endsAtMs;
  }

  wants(walked: WalkedEntry): boolean {
    const { hidden = true, type } = this.#options;
    if (!hidden && isHidden(walked)) return false;
    if (this.#glob?.(walked.relativePath) === false) return false;
    return type === undefined || walked.entry.type === type;
  }

  add({ path, name, symlink_target: target = '' }: FileEntry): void {
    this.#entries += 1;
    this.#textLength += path.length + name.length + target.length;
  }

  #enters(directory: WalkedEntry): boolean {
    const { hidden = true } = this.#options;
    if (!hidden && isHidden(directory)) return false;
    return this.#glob?.mayMatchBelow(directory.relativePath) !== false;
  }
}

const isHidden = ({ entry }: WalkedEntry): boolean => entry.name.startsWith('.');

/** Without a checksum when the file is gone, or changes while it is read. */
async function withChecksum(walked: WalkedEntry, page: Page): Promise<FileEntry> {
  const { entry } = walked;
  if (entry.type !== 'file' || page.isComplete) return entry;
  const file = walked.open();
  if (file === undefined) return entry;
  try {
    const { size } = file.entry;
    const hash = createHash('sha256');
    const small = file.readSmall(smallFileBytes);
    if (small === undefined) for await (const chunk of file.stream()) hash.update(chunk);
    else hash.update(small);
    page.hashedBytes += size;
    return file.currentEtag() === file.etag
      ? { ...entry, size, sha256: hash.digest('hex') }
      : entry;
  } finally {
    await file.close();
  }
}
