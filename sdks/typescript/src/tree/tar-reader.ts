import { Buffer } from 'node:buffer';
import { InvalidArchiveError } from '../errors/client-errors.ts';
import { parseTimeText } from '../filesystem/file-time.ts';
import { ByteQueue } from './byte-queue.ts';
import { type PaxRecords, parsePax } from './pax-records.ts';
import { blockBytes } from './tar-header.ts';
import { checksumFits, readNumber } from './tar-numbers.ts';

export type TarEntryType = 'file' | 'directory' | 'symlink' | 'hardLink' | 'special';

/** An entry as the archive tells it; nothing of it is to be trusted. */
export interface TarEntry {
  readonly type: TarEntryType;
  readonly name: Buffer;
  readonly linkName: Buffer;
  readonly mode: number;
  readonly mtimeNs: bigint;
  readonly sizeBytes: number;
  /** Contents of a file, at once when they are small; to be read before the next entry. */
  readonly contents: Buffer | AsyncIterable<Buffer>;
}

/** Files up to this size come in one piece. */
const onePieceBytes = 1024 * 1024;
const pieceBytes = 1024 * 1024;
/** A PAX header or a long name beyond this is no honest one. */
const maxExtraBytes = 1024 * 1024;
/** What may follow the end of an archive: writers fill up to their record size. */
const maxTrailingBytes = 16 * 1024 * 1024;

/**
 * Reads a tar archive: POSIX (ustar and PAX) and GNU's long names. Holds one small file at most.
 * @param take called with each entry; a promise of it is waited for
 * @throws InvalidArchiveError when it is damaged, cut, without its end, or has sparse files
 */
export async function readTar(
  source: AsyncIterable<Uint8Array>,
  take: (entry: TarEntry) => Promise<void> | undefined,
): Promise<void> {
  const queue = new ByteQueue(source);
  const parser = new Parser(queue);
  try {
    for (let step = parser.next(); step !== 'end'; step = parser.next()) {
      if (typeof step === 'number') {
        await need(queue, step);
        continue;
      }
      const pending = take(step);
      if (pending !== undefined) await pending;
      if (step.contents instanceof Pieces) await step.contents.skip();
    }
    await readEnd(queue);
  } finally {
    await queue.close();
  }
}

async function need(queue: ByteQueue, bytes: number): Promise<void> {
  if (!(await queue.fill(bytes))) throw new InvalidArchiveError('it ends too early');
}

/** Header fields that come ahead of the entry they belong to. */
interface Extras {
  pax?: PaxRecords;
  longName?: Buffer;
  longLink?: Buffer;
}

/** Takes entries from what is there, without waiting: most archives have very many. */
class Parser {
  readonly #queue: ByteQueue;
  #global: PaxRecords | undefined;
  #extras: Extras = {};
  /** An extra header whose contents have not come yet. */
  #extra: { readonly flag: string; readonly sizeBytes: number } | undefined;
  /** An entry whose contents have not come yet. */
  #entry: Omit<TarEntry, 'contents'> | undefined;

  constructor(queue: ByteQueue) {
    this.#queue = queue;
  }

  /** The next entry, the end, or how many bytes must be there to go on. */
  next(): TarEntry | 'end' | number {
    for (;;) {
      if (this.#entry !== undefined) return this.#withContents(this.#entry);
      if (this.#extra !== undefined) {
        const padded = paddedLength(this.#extra.sizeBytes);
        if (this.#queue.buffered < padded) return padded;
        this.#takeExtra(this.#extra.flag, this.#queue.take(padded), this.#extra.sizeBytes);
        continue;
      }
      if (this.#queue.buffered < blockBytes) return blockBytes;
      const block = this.#queue.take(blockBytes);
      if (isZero(block)) return 'end';
      this.#takeHeader(block);
    }
  }

  #takeHeader(block: Buffer): void {
    if (!checksumFits(block)) throw new InvalidArchiveError('the header of an entry is damaged');
    const flag = String.fromCharCode(block[156] ?? 0);
    if (!extraFlags.has(flag)) {
      this.#entry = entryOf(block, flag, this.#extras, this.#global);
      this.#extras = {};
      return;
    }
    const sizeBytes = readNumber(block, 124, 136);
    if (sizeBytes === undefined || sizeBytes > maxExtraBytes)
      throw new InvalidArchiveError('the header of an entry is too long');
    this.#extra = { flag, sizeBytes };
  }

  #takeExtra(flag: string, padded: Buffer, sizeBytes: number): void {
    const bytes = padded.subarray(0, sizeBytes);
    this.#extra = undefined;
    if (flag === 'x') this.#extras.pax = parsePax(bytes);
    else if (flag === 'g') this.#global = parsePax(bytes);
    else if (flag === 'L') this.#extras.longName = untilZero(bytes);
    else this.#extras.longLink = untilZero(bytes);
  }

  #withContents(entry: Omit<TarEntry, 'contents'>): TarEntry | number {
    const { sizeBytes } = entry;
    const padded = paddedLength(sizeBytes);
    if (sizeBytes > onePieceBytes) {
      this.#entry = undefined;
      return { ...entry, contents: new Pieces(this.#queue, sizeBytes) };
    }
    if (this.#queue.buffered < padded) return padded;
    this.#entry = undefined;
    const contents = this.#queue.take(sizeBytes);
    this.#queue.take(padded - sizeBytes);
    return { ...entry, contents };
  }
}

/** PAX headers, of one entry and of all; GNU's long names and long links. */
const extraFlags = new Set(['x', 'g', 'L', 'K']);
const paddedLength = (bytes: number) => Math.ceil(bytes / blockBytes) * blockBytes;

/** The contents of a file that is too large for one piece. */
class Pieces implements AsyncIterable<Buffer> {
  readonly #queue: ByteQueue;
  #missing: number;
  readonly #padding: number;

  constructor(queue: ByteQueue, sizeBytes: number) {
    this.#queue = queue;
    this.#missing = sizeBytes;
    this.#padding = paddedLength(sizeBytes) - sizeBytes;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    while (this.#missing > 0) {
      const bytes = Math.min(pieceBytes, this.#missing);
      await need(this.#queue, bytes);
      this.#missing -= bytes;
      yield this.#queue.take(bytes);
    }
  }

  /** Takes what is left of it. */
  async skip(): Promise<void> {
    while (this.#missing > 0) {
      await need(this.#queue, 1);
      this.#missing -= this.#queue.takeUpTo(this.#missing).length;
    }
    await need(this.#queue, this.#padding);
    this.#queue.take(this.#padding);
  }
}

function entryOf(
  block: Buffer,
  flag: string,
  extras: Extras,
  global: PaxRecords | undefined,
): Omit<TarEntry, 'contents'> {
  const record = (key: string) => extras.pax?.get(key) ?? global?.get(key);
  for (const key of [...(extras.pax?.keys() ?? []), ...(global?.keys() ?? [])])
    if (key.startsWith('GNU.sparse.')) throw new InvalidArchiveError('it has sparse files');
  const name = record('path') ?? extras.longName ?? plainName(block);
  const size = record('size');
  const sizeBytes = size === undefined ? readNumber(block, 124, 136) : decimal(size);
  const mode = readNumber(block, 100, 108);
  const mtime = record('mtime');
  const mtimeNs = mtime === undefined ? plainTime(block) : parseTimeText(mtime.toString('latin1'));
  if (sizeBytes === undefined || mode === undefined)
    throw new InvalidArchiveError('the header of an entry is damaged');
  return {
    type: typeOf(flag, name),
    name,
    linkName: record('linkpath') ?? extras.longLink ?? untilZero(block.subarray(157, 257)),
    mode,
    // A time that cannot be told does no harm.
    mtimeNs: mtimeNs ?? 0n,
    sizeBytes,
  };
}

function typeOf(flag: string, name: Buffer): TarEntryType {
  switch (flag) {
    case '0':
    case '\0':
    case '7':
      // Archives older than POSIX tell a directory by the end of its name.
      return name.at(-1) === 0x2f ? 'directory' : 'file';
    case '1':
      return 'hardLink';
    case '2':
      return 'symlink';
    case '3':
    case '4':
    case '6':
      return 'special';
    case '5':
      return 'directory';
    default:
      throw new InvalidArchiveError(`it has an entry of the unknown type ${JSON.stringify(flag)}`);
  }
}

function plainName(block: Buffer): Buffer {
  const name = untilZero(block.subarray(0, 100));
  // GNU keeps other things where POSIX has the prefix.
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\0';
  if (!isPosix || block[345] === 0) return name;
  const prefix = untilZero(block.subarray(345, 500)).toString('latin1');
  return Buffer.from(`${prefix}/${name.toString('latin1')}`, 'latin1');
}

function plainTime(block: Buffer): bigint | undefined {
  const seconds = readNumber(block, 136, 148);
  return seconds === undefined ? undefined : BigInt(seconds) * 1_000_000_000n;
}

function decimal(bytes: Buffer): number | undefined {
  const text = bytes.toString('latin1');
  const value = Number(text);
  return /^\d{1,16}$/.test(text) && Number.isSafeInteger(value) ? value : undefined;
}

/** The second block of zeros, and what fills up the last record. */
async function readEnd(queue: ByteQueue): Promise<void> {
  await need(queue, blockBytes);
  if (!isZero(queue.take(blockBytes)))
    throw new InvalidArchiveError('the header of an entry is damaged');
  let trailing = 0;
  do {
    trailing += queue.buffered;
    queue.take(queue.buffered);
    if (trailing > maxTrailingBytes) throw new InvalidArchiveError('bytes follow its end');
  } while (await queue.more());
}

function untilZero(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end === -1 ? bytes : bytes.subarray(0, end);
}

const zeroBlock = Buffer.alloc(blockBytes);
const isZero = (block: Buffer) => block[0] === 0 && block.equals(zeroBlock);
