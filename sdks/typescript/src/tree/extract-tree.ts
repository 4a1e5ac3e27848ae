import { Buffer, isUtf8 } from 'node:buffer';
import { TooLargeError } from '../errors/api-errors.ts';
import { UnsafeArchiveError } from '../errors/client-errors.ts';
import { entryName, staysInside } from './entry-name.ts';
import { SkippedEntries } from './skipped.ts';
import { readTar, type TarEntry } from './tar-reader.ts';
import type { TreeResult } from './tree-options.ts';
import { TreeTarget } from './tree-target.ts';

export interface ExtractOptions {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly unsafeLinks: 'skip' | 'keep';
  readonly overwrite: boolean;
  /** False: the entry is left out. @default all are taken */
  readonly accept?: ((name: string, isDirectory: boolean) => boolean) | undefined;
  readonly onProgress?: ((bytes: number, files: number) => void) | undefined;
}

/**
 * Unpacks a tar archive into a local directory, which is made when it is missing. The archive comes
 * from a sandbox, and is taken for an attack: an entry that would land outside of the directory, a
 * device, a hard link to anything but a file of the archive, and whatever is beyond the limits, ends
 * it with an error. Owners are not kept.
 * @throws UnsafeArchiveError, InvalidArchiveError, TooLargeError, LocalFileError
 */
export async function extractTree(
  source: AsyncIterable<Uint8Array>,
  localPath: string,
  options: ExtractOptions,
): Promise<TreeResult> {
  const extraction = new Extraction(new TreeTarget(localPath, options.overwrite), options);
  await readTar(source, (entry) => extraction.take(entry));
  return extraction.finish();
}

class Extraction {
  readonly #target: TreeTarget;
  readonly #options: ExtractOptions;
  readonly #skipped = new SkippedEntries();
  readonly #counts = { files: 0, directories: 0, symlinks: 0, hardLinks: 0, bytes: 0 };
  #entries = 0;
  #announced = 0;

  constructor(target: TreeTarget, options: ExtractOptions) {
    this.#target = target;
    this.#options = options;
  }

  /** Writes an entry; a promise only where its contents come in pieces. */
  take(entry: TarEntry): Promise<void> | undefined {
    this.#checkLimits(entry);
    const name = entryName(entry.name);
    if (name === undefined) {
      this.#skipped.add(entry.name.toString('utf8'), 'its name is not UTF-8');
      return undefined;
    }
    if (entry.type === 'special') throw new UnsafeArchiveError(name, 'is a device or a FIFO');
    if (this.#options.accept?.(name, entry.type === 'directory') === false) return undefined;
    switch (entry.type) {
      case 'directory':
        this.#target.directory(name, entry);
        if (name !== '') this.#counts.directories += 1;
        return undefined;
      case 'symlink':
        this.#symlink(name, entry);
        return undefined;
      case 'hardLink':
        this.#target.hardLink(name, entryName(entry.linkName) ?? '');
        this.#counts.hardLinks += 1;
        this.#fileDone();
        return undefined;
      default:
        return this.#file(name, entry);
    }
  }

  finish(): TreeResult {
    this.#target.finish();
    const { listed, count } = this.#skipped;
    return { path: this.#target.root, ...this.#counts, skipped: listed, skippedCount: count };
  }

  #checkLimits({ type, sizeBytes }: TarEntry): void {
    const { maxEntries, maxBytes } = this.#options;
    this.#entries += 1;
    if (type === 'file') this.#announced += sizeBytes;
    if (this.#entries > maxEntries)
      throw tooLarge(`more than ${maxEntries} entries`, 'maxEntries', {
        limit_entries: maxEntries,
      });
    if (this.#announced > maxBytes)
      throw tooLarge(`more than ${maxBytes} bytes`, 'maxBytes', { limit_bytes: maxBytes });
  }

  #symlink(name: string, { linkName, mtimeNs }: TarEntry): void {
    const text = linkName.toString('utf8');
    if (!isUtf8(linkName) || text === '' || text.includes('\0')) {
      this.#skipped.add(name, 'its target is not UTF-8');
    } else if (this.#options.unsafeLinks === 'skip' && !staysInside(name, text)) {
      this.#target.leaveOut(name);
      this.#skipped.add(name, `it is a symbolic link that may lead out: ${text}`);
    } else {
      this.#target.symlink(name, text, mtimeNs);
      this.#counts.symlinks += 1;
    }
  }

  #file(name: string, entry: TarEntry): Promise<void> | undefined {
    const { contents } = entry;
    if (!Buffer.isBuffer(contents)) return this.#largeFile(name, entry, contents);
    using file = this.#target.file(name, entry);
    file.write(contents);
    file.finish();
    this.#counts.bytes += contents.length;
    this.#fileDone();
    return undefined;
  }

  async #largeFile(name: string, entry: TarEntry, pieces: AsyncIterable<Buffer>): Promise<void> {
    using file = this.#target.file(name, entry);
    for await (const piece of pieces) {
      file.write(piece);
      this.#counts.bytes += piece.length;
      this.#options.onProgress?.(this.#counts.bytes, this.#counts.files);
    }
    file.finish();
    this.#fileDone();
  }

  #fileDone(): void {
    this.#counts.files += 1;
    this.#options.onProgress?.(this.#counts.bytes, this.#counts.files);
  }
}

const tooLarge = (what: string, option: string, details: Readonly<Record<string, number>>) =>
  new TooLargeError(
    `The archive from the sandbox has ${what}; raise ${option} if that is what you expect. What was unpacked before stays.`,
    { code: 'payload_too_large', details },
  );
