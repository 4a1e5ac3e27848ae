import { once } from 'node:events';
import { Readable } from 'node:stream';
import type { TreeWriter } from '@sandport/driver';
import { type ArchiveResult, SandportFault } from '@sandport/protocol';
import { type ExtractEvents, extract as tarExtract } from 'tar-stream';
import { type ArchivedEntry, invalidArchive, parseEntry } from './tar-entry.ts';

/** Files up to this length are collected and written at once. */
const smallFileBytes = 128 * 1024;
/**
 * Most bytes without an entry: headers that tell about the next one, and what is behind the end. An
 * archive that has more of them is made to keep us busy.
 */
const maxIdleBytes = 4 * 1024 * 1024;
const blockBytes = 512;
/** Names come as they are, a character a byte, and archives older than POSIX are taken. */
const tarOptions = {
  filenameEncoding: 'latin1',
  allowUnknownFormat: true,
  highWaterMark: 256 * 1024,
};

type Header = ExtractEvents['entry'][0];
type Contents = ExtractEvents['entry'][1];

export interface UnpackLimits {
  /** Most bytes of contents. @default no limit */
  readonly maxBytes?: number | undefined;
  /** Most entries. @default 1,000,000 */
  readonly maxEntries?: number | undefined;
}

export type UnpackedCounts = Omit<ArchiveResult, 'path'>;

/**
 * Writes the entries of a tar archive. What was written before an error stays.
 * @param path the directory that `writer` writes into, for messages
 * @throws SandportFault `invalid_archive`, `unsafe_archive`, `payload_too_large`, and the writer's;
 * the error of `archive`
 */
export async function unpackTree(
  archive: Readable,
  writer: TreeWriter,
  path: string,
  limits: UnpackLimits = {},
): Promise<UnpackedCounts> {
  const entries = new Unpacking(writer, path, limits);
  const extract = tarExtract(tarOptions);
  let last: Promise<void> = Promise.resolve();
  let failure: unknown;
  const ended = new Promise<void>((resolve, reject) => {
    extract.on('finish', resolve).on('error', reject);
    extract.on('close', () => reject(new Error('it ends within an entry')));
    extract.on('entry', (header, contents, next) => {
      contents.on('error', () => {}); // Told by `extract` too.
      last = entries.take(header, contents, next).catch((error: unknown) => {
        failure = error;
        reject(error);
        archive.destroy(error instanceof Error ? error : new Error(String(error)));
        extract.destroy(new Error('given up'));
      });
    });
  });
  ended.catch(() => {}); // It is raced against below.
  let seenBytes = 0;
  try {
    for await (const chunk of archive) {
      seenBytes += chunk.length;
      if (seenBytes - entries.endsAt > maxIdleBytes) {
        throw invalidArchive(path, 'it has long parts without entries');
      }
      if (!extract.write(chunk)) await Promise.race([once(extract, 'drain'), ended]);
    }
    extract.end(null);
    await ended;
  } catch (error) {
    extract.destroy(new Error('given up'));
    await last;
    // An entry that cannot be written ends the reading, too, and that may be noticed first.
    const fault = [failure, error].find((each) => each instanceof SandportFault);
    const isNoTar = seenBytes > 0 && entries.isEmpty && archive.errored === null;
    throw fault ?? invalidArchive(path, isNoTar ? noTar : reasonOf(error), undefined, error);
  } finally {
    extract.destroy(new Error('given up'));
    // Nothing is written any more when this returns.
    await last;
  }
  if (seenBytes - entries.endsAt < blockBytes) throw invalidArchive(path, 'its end is missing');
  await writer.finish();
  return entries.counts;
}

class Unpacking {
  readonly #writer: TreeWriter;
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #maxEntries: number;
  readonly counts = { files: 0, directories: 0, symlinks: 0, hard_links: 0, bytes: 0 };
  /** Where the last entry ends in the archive. */
  endsAt = 0;
  #count = 0;

  constructor(writer: TreeWriter, path: string, limits: UnpackLimits) {
    this.#writer = writer;
    this.#path = path;
    this.#maxBytes = limits.maxBytes ?? Number.POSITIVE_INFINITY;
    this.#maxEntries = limits.maxEntries ?? 1_000_000;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  async take(header: Header, contents: Contents, next: () => void): Promise<void> {
    const entry = parseEntry(header, this.#path);
    const { size } = entry;
    this.endsAt = contents.offset + (1 + Math.ceil(size / blockBytes)) * blockBytes;
    this.#count += 1;
    if (this.#count > this.#maxEntries) {
      throw this.#tooLarge(`${this.#maxEntries} entries`, { limit_entries: this.#maxEntries });
    }
    if (this.counts.bytes + size > this.#maxBytes) {
      throw this.#tooLarge(`${this.#maxBytes} bytes`, { limit_bytes: this.#maxBytes });
    }
    await this.#write(entry, contents);
    this.counts.bytes += size;
    next();
  }

  async #write(entry: ArchivedEntry, contents: Contents): Promise<void> {
    const { kind, name, attributes, size, linkName } = entry;
    if (kind === 'file') {
      const bytes = size > smallFileBytes ? Readable.from(contents) : await collect(contents, size);
      await this.#writer.file(name, attributes, bytes, size);
      this.counts.files += 1;
      return;
    }
    contents.resume();
    if (kind === 'directory') {
      await this.#writer.directory(name, attributes);
      this.counts.directories += 1;
    } else if (kind === 'symlink') {
      await this.#writer.symlink(name, attributes, linkName);
      this.counts.symlinks += 1;
    } else {
      await this.#writer.hardLink(name, linkName);
      this.counts.hard_links += 1;
    }
  }

  #tooLarge(limit: string, details: Readonly<Record<string, number>>): SandportFault {
    return new SandportFault(
      'payload_too_large',
      `The archive unpacks to more than ${limit}; what was unpacked before stays.`,
      { path: this.#path, ...details },
    );
  }
}

/** @throws the stream's error */
async function collect(contents: Contents, size: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  if (size > 0) for await (const chunk of contents) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  const [only] = chunks;
  const bytes = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
  if (bytes.length !== size) throw new Error('it ends within a file');
  return bytes;
}

const noTar = 'it does not begin as a tar archive does; plain tar, gzip and zstd are read';

const reasonOf = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error);
  return message.charAt(0).toLowerCase() + message.slice(1).replace(/\.$/, '');
};
