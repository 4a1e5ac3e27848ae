import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { join } from 'node:path';
import { InvalidImage } from './invalid-image.ts';
import { scanTar } from './tar-scan.ts';

/** The words of skopeo for what a file or a directory is. */
export type ArchiveKind = 'docker-archive' | 'oci-archive' | 'oci';

/** Entries of an archive that are looked at. */
const maxEntries = 100_000;

/**
 * What a file or directory with an image is: the output of `docker save`, the tar of an OCI
 * layout, or such a layout itself. Both kinds of archive may be packed with gzip.
 * @throws InvalidImage
 */
export async function archiveKind(path: string): Promise<ArchiveKind> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new InvalidImage('there is nothing at the path of the archive');
  if (found.isDirectory()) {
    const layout = await stat(join(path, 'oci-layout')).catch(() => undefined);
    if (layout === undefined)
      throw new InvalidImage('the directory is no OCI layout: it has no file "oci-layout"');
    return 'oci';
  }
  if (!found.isFile()) throw new InvalidImage('the archive is neither a file nor a directory');
  const names = new Set<string>();
  const scan = scanTar({
    maxEntries,
    maxBytes: Number.MAX_SAFE_INTEGER,
    onName: (name) => names.add(name.replace(/^\.\//, '')),
  });
  try {
    if (isGzip(path)) await pipeline(createReadStream(path), createGunzip(), scan);
    else await pipeline(createReadStream(path), scan);
  } catch (error) {
    if (error instanceof InvalidImage) throw error;
    throw new InvalidImage('the archive is damaged, or no tar archive', { cause: error });
  }
  if (names.has('manifest.json')) return 'docker-archive';
  if (names.has('oci-layout') || names.has('index.json')) return 'oci-archive';
  throw new InvalidImage(
    'the archive is neither the output of `docker save` nor an OCI layout: it has no "manifest.json" and no "oci-layout"',
  );
}

function isGzip(path: string): boolean {
  const fd = openSync(path, 'r');
  try {
    const magic = Buffer.alloc(2);
    return readSync(fd, magic, 0, 2, 0) === 2 && magic[0] === 0x1f && magic[1] === 0x8b;
  } finally {
    closeSync(fd);
  }
}
