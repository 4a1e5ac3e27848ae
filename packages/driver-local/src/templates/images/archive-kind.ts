import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { join } from 'node:path';
import { InvalidImage } from './invalid-image.ts';
import { scanTar } from './tar-scan.ts';

/** The words of skopeo for what a file or a directory is. */
export type ArchiveKind = 'docker-archive' | 'oci-archive' | 'oci';

/** Entries of an archive that are looked at. */
const maxEntries = 100_000;

/**
 * What a file or directory with an image is: the output of `docker save`, the tar of an OCI
 * layout, or such a layout itself.
 * @throws InvalidImage
 */
export async function archiveKind(path: string): Promise<ArchiveKind> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) {
    const layout = await stat(join(path, 'oci-layout')).catch(() => undefined);
    if (layout === undefined)
      throw new InvalidImage('the directory is no OCI layout: it has no file "oci-layout"');
    return 'oci';
  }
  const names = new Set<string>();
  const scan = scanTar({
    maxEntries,
    maxBytes: Number.MAX_SAFE_INTEGER,
    onName: (name) => names.add(name.replace(/^\.\//, '')),
  });
  try {
    await pipeline(createReadStream(path), scan);
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
