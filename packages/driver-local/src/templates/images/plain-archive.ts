import { createReadStream, createWriteStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { SandportFault } from '@sandport/protocol';
import { refuseFullDisk } from '../tools/disk-room.ts';
import { InvalidImage } from './invalid-image.ts';

export interface PlainArchiveOptions {
  /** Where an unpacked copy goes when one is needed; must not exist. */
  readonly copy: string;
  /** Directory on the disk of the copy. */
  readonly directory: string;
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** How often the disk is looked at. */
const lookBytes = 64 * 1024 * 1024;

/**
 * Path of an archive that is not packed: the one that was given, or a copy of what gzip packed.
 * A directory stays as it is.
 * @throws InvalidImage, SandportFault `disk_full`
 */
export async function plainArchive(path: string, options: PlainArchiveOptions): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new InvalidImage('there is nothing at the path of the archive');
  if (found.isDirectory()) return path;
  if (!found.isFile()) throw new InvalidImage('the archive is neither a file nor a directory');
  if (!(await isGzip(path))) return path;
  const { copy, signal } = options;
  try {
    const file = createWriteStream(copy, { flags: 'wx', mode: 0o600 });
    const source = createReadStream(path);
    await pipeline(source, createGunzip(), bounded(options), file, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof InvalidImage || error instanceof SandportFault) throw error;
    throw new InvalidImage(`the archive is damaged: ${String(error)}`, { cause: error });
  }
  return copy;
}

/** Passes bytes on as long as they are not too many and the disk has room. */
const bounded = ({ directory, maxBytes }: PlainArchiveOptions) =>
  async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let bytes = 0;
    let nextLook = 0;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new InvalidImage('the archive is too large');
      if (bytes >= nextLook) {
        nextLook = bytes + lookBytes;
        await refuseFullDisk(directory);
      }
      yield chunk;
    }
  };

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const magic = Buffer.alloc(2);
    const { bytesRead } = await file.read(magic, 0, 2, 0);
    return bytesRead === 2 && magic[0] === 0x1f && magic[1] === 0x8b;
  } finally {
    await file.close();
  }
}
