import { existsSync, readdirSync, statSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '@sandport/linux';

/** Files of all streams that stay open between two writes. */
const openFilesMax = 64;
/** A file that gets nothing for so long is closed. */
const idleMs = 1_000;
let openFiles = 0;

interface Segment {
  /** Offset of its first byte in the stream. */
  readonly from: number;
  bytes: number;
}

export interface SegmentsOptions {
  /** Trusted directory that no guest reaches. */
  readonly directory: string;
  /** First part of the names of its files. */
  readonly name: string;
  /** A file gets no more once it has so many bytes. */
  readonly segmentBytes: number;
}

const readBytes = 256 * 1024;

/** The older part of a stream, in files that follow each other without a gap. */
export class Segments {
  readonly #options: SegmentsOptions;
  #segments: Segment[] = [];
  /** The last file may get more. */
  #grows = false;
  /** That file, where it stays open. */
  #file: FileHandle | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(options: SegmentsOptions) {
    this.#options = options;
  }

  /** Finds what an earlier daemon has left; of what does not belong together, the newest. */
  async load(): Promise<void> {
    const { directory, name } = this.#options;
    const found: Segment[] = [];
    if (!existsSync(directory)) return;
    for (const entry of readdirSync(directory)) {
      const from = entry.startsWith(`${name}-`) ? Number(entry.slice(name.length + 1)) : Number.NaN;
      if (Number.isSafeInteger(from) && from >= 0)
        found.push({ from, bytes: statSync(join(directory, entry)).size });
    }
    found.sort((a, b) => b.from - a.from);
    const kept: Segment[] = [];
    for (const segment of found) {
      const next = kept[0];
      const belongs = next === undefined || segment.from + segment.bytes === next.from;
      if (belongs && segment.bytes > 0) kept.unshift(segment);
      else await this.#remove(segment);
    }
    this.#segments = kept;
  }

  /** Offset of the first byte; undefined when there is none. */
  get start(): number | undefined {
    return this.#segments[0]?.from;
  }

  /** Offset after the last byte; undefined when there is none. */
  get end(): number | undefined {
    const last = this.#segments.at(-1);
    return last && last.from + last.bytes;
  }

  /** Offset after the last byte of the oldest file. */
  get oldestEnd(): number | undefined {
    const first = this.#segments[0];
    return first && first.from + first.bytes;
  }

  /** Calls must come one after the other. Adds bytes at the end, which is `offset` unless it is empty. @returns how many of them */
  async append(offset: number, pieces: readonly Buffer[]): Promise<number> {
    const { directory, name, segmentBytes } = this.#options;
    clearTimeout(this.#idleTimer);
    let last = this.#segments.at(-1);
    const isNew = last === undefined || !this.#grows || last.bytes >= segmentBytes;
    if (last === undefined || isNew) {
      await this.close();
      last = { from: offset, bytes: 0 };
    }
    const path = join(directory, `${name}-${last.from}`);
    const file = this.#file ?? (await open(path, isNew ? 'wx' : 'r+', 0o600));
    try {
      const { bytesWritten } = await file.writev([...pieces], last.bytes);
      last.bytes += bytesWritten;
      if (isNew && bytesWritten > 0) {
        this.#segments.push(last);
        this.#grows = true;
      }
      return bytesWritten;
    } finally {
      await this.#keepOpen(file, last.bytes > 0);
      if (last.bytes === 0) await rm(path, { force: true });
    }
  }

  /** Closes the file that is open for more. */
  async close(): Promise<void> {
    const file = this.#file;
    clearTimeout(this.#idleTimer);
    if (file === undefined) return;
    this.#file = undefined;
    openFiles -= 1;
    // An error of what was written has been told by the write.
    await file.close().catch(() => {});
  }

  /** Removes the oldest file. False when there is none. */
  async dropOldest(): Promise<boolean> {
    const first = this.#segments.shift();
    if (first === undefined) return false;
    if (this.#segments.length === 0) {
      this.#grows = false;
      await this.close();
    }
    await this.#remove(first);
    return true;
  }

  /** Some bytes from this offset on; undefined when they are not here (any more). */
  async read(offset: number): Promise<Buffer | undefined> {
    const segment = this.#segments.findLast(({ from }) => from <= offset);
    if (segment === undefined || offset >= segment.from + segment.bytes) return undefined;
    const bytes = Math.min(readBytes, segment.from + segment.bytes - offset);
    try {
      await using file = await open(this.#path(segment), 'r');
      const buffer = Buffer.allocUnsafeSlow(bytes);
      const { bytesRead } = await file.read(buffer, 0, bytes, offset - segment.from);
      return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      // It was dropped meanwhile; what is gone without that, and what is older, counts as such.
      this.#segments = this.#segments.filter(({ from }) => from > segment.from);
      return undefined;
    }
  }

  async #keepOpen(file: FileHandle, isUseful: boolean): Promise<void> {
    if (this.#file === undefined) {
      if (!isUseful || openFiles >= openFilesMax) return file.close();
      this.#file = file;
      openFiles += 1;
    }
    this.#idleTimer = setTimeout(() => void this.close(), idleMs).unref();
  }

  #path({ from }: Segment): string {
    return join(this.#options.directory, `${this.#options.name}-${from}`);
  }

  async #remove(segment: Segment): Promise<void> {
    await rm(this.#path(segment), { force: true });
  }
}
