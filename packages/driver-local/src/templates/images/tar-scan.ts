import { Writable } from 'node:stream';
import { InvalidImage } from './invalid-image.ts';

export interface TarScanOptions {
  readonly maxEntries: number;
  /** Of the archive itself and of what its files become, sparse ones written out. */
  readonly maxBytes: number;
  readonly onName?: (name: string) => void;
}

export interface TarScan extends Writable {
  readonly entries: number;
  readonly bytes: number;
}

const blockBytes = 512;
/** An extended header is a few hundred bytes; those who read it keep it in memory. */
const maxExtendedBytes = 1024 * 1024;

/**
 * Counts what a tar archive would put on a disk, without keeping any of it. It believes nothing
 * beyond the sizes, which bound what the program that unpacks it can be made to write.
 * The stream fails with InvalidImage for what is no tar archive, or above a limit.
 */
export function scanTar(options: TarScanOptions): TarScan {
  return new Scan(options);
}

class Scan extends Writable implements TarScan {
  entries = 0;
  bytes = 0;
  readonly #options: TarScanOptions;
  readonly #header = Buffer.alloc(blockBytes);
  #headerFill = 0;
  /** Bytes until the next header. */
  #skip = 0;
  #extended: Buffer[] | undefined;
  #extendedLeft = 0;
  /** From an extended header: size in the archive, and written out. */
  #nextSize: number | undefined;
  #nextRealSize = 0;
  #ended = false;
  #read = 0;

  constructor(options: TarScanOptions) {
    super();
    this.#options = options;
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error) => void): void {
    try {
      this.#read += chunk.length;
      if (this.#read > this.#options.maxBytes) throw tooLarge(this.#options.maxBytes);
      this.#take(chunk);
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  }

  override _final(done: (error?: Error) => void): void {
    const whole = this.#ended || (this.#skip === 0 && this.#headerFill === 0 && this.entries > 0);
    done(whole || this.#read === 0 ? undefined : new InvalidImage('a tar archive ends too early'));
  }

  #take(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#ended) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at);
        if (this.#extended !== undefined && this.#extendedLeft > 0) {
          const part = chunk.subarray(at, at + Math.min(step, this.#extendedLeft));
          this.#extended.push(Buffer.from(part));
          this.#extendedLeft -= part.length;
        }
        this.#skip -= step;
        at += step;
        if (this.#skip === 0) this.#endExtended();
        continue;
      }
      const step = Math.min(blockBytes - this.#headerFill, chunk.length - at);
      chunk.copy(this.#header, this.#headerFill, at, at + step);
      this.#headerFill += step;
      at += step;
      if (this.#headerFill < blockBytes) continue;
      this.#headerFill = 0;
      this.#takeHeader();
    }
  }

  #takeHeader(): void {
    const header = this.#header;
    if (header.every((byte) => byte === 0)) {
      this.#ended = true;
      return;
    }
    if (!hasRightChecksum(header)) throw new InvalidImage('a tar archive is damaged');
    const type = String.fromCharCode(header[156] ?? 0);
    const ownSize = parseNumber(header.subarray(124, 136));
    if ('xgLK'.includes(type)) {
      if (ownSize > maxExtendedBytes) throw new InvalidImage('a header in a layer is too large');
      this.#extended = type === 'x' ? [] : undefined;
      this.#extendedLeft = ownSize;
      this.#skip = padded(ownSize);
      return;
    }
    const hasContent = !'123456'.includes(type);
    const size = hasContent ? (this.#nextSize ?? ownSize) : 0;
    const sparse = type === 'S' ? parseNumber(header.subarray(483, 495)) : 0;
    this.entries += 1;
    this.bytes += Math.max(size, sparse, hasContent ? this.#nextRealSize : 0);
    this.#nextSize = undefined;
    this.#nextRealSize = 0;
    const { maxEntries, maxBytes, onName } = this.#options;
    if (this.entries > maxEntries) throw new InvalidImage(`it has more than ${maxEntries} entries`);
    if (this.bytes > maxBytes) throw tooLarge(maxBytes);
    onName?.(header.toString('utf8', 0, 100).replace(/\0.*$/s, ''));
    this.#skip = padded(size);
  }

  #endExtended(): void {
    if (this.#extended === undefined) return;
    const text = Buffer.concat(this.#extended).toString('latin1');
    this.#extended = undefined;
    for (const [, key, value] of text.matchAll(/\d+ ([^=\n]+)=(\d+)\n/g)) {
      if (key === 'size') this.#nextSize = Number(value);
      if (key === 'GNU.sparse.realsize' || key === 'GNU.sparse.size')
        this.#nextRealSize = Number(value);
    }
  }
}

const padded = (size: number): number => Math.ceil(size / blockBytes) * blockBytes;

const tooLarge = (maxBytes: number): InvalidImage =>
  new InvalidImage(`it holds more than ${Math.round(maxBytes / 2 ** 20)} MiB`);

function hasRightChecksum(header: Buffer): boolean {
  let sum = 8 * 0x20;
  for (const [index, byte] of header.entries()) if (index < 148 || index >= 156) sum += byte;
  return sum === parseNumber(header.subarray(148, 156));
}

/** Octal digits, or a number in base 256. */
function parseNumber(field: Buffer): number {
  const first = field[0] ?? 0;
  if (first & 0x80) {
    let value = first & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    if (!Number.isSafeInteger(value)) throw new InvalidImage('a size in a layer is not possible');
    return value;
  }
  const text = field.toString('latin1').replace(/[\0 ]/g, '');
  if (!/^[0-7]*$/.test(text)) throw new InvalidImage('a tar archive is damaged');
  return text === '' ? 0 : Number.parseInt(text, 8);
}
