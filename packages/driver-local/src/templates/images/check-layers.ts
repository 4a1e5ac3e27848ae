import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { ImageLayer } from './image-layout.ts';
import { InvalidImage } from './invalid-image.ts';
import { scanTar } from './tar-scan.ts';

/** Most that an image may hold, all layers together. */
export interface ImageLimits {
  readonly maxBytes: number;
  readonly maxEntries: number;
}

export const imageLimits: ImageLimits = { maxBytes: 64 * 2 ** 30, maxEntries: 1_000_000 };

/**
 * Reads all layers once before anything is unpacked, so that damaged and boundless ones are found
 * while nothing has been written.
 * @throws InvalidImage
 */
export async function checkLayers(
  layers: readonly ImageLayer[],
  limits: ImageLimits,
  signal: AbortSignal | undefined,
): Promise<{ readonly bytes: number; readonly entries: number }> {
  let bytes = 0;
  let entries = 0;
  for (const { path, packing, digest } of layers) {
    const scan = scanTar({
      maxBytes: limits.maxBytes - bytes,
      maxEntries: limits.maxEntries - entries,
    });
    const file = createReadStream(path, { highWaterMark: 1 << 20 });
    try {
      if (packing === 'gzip')
        await pipeline(file, createGunzip({ chunkSize: 1 << 18 }), scan, { signal });
      else await pipeline(file, scan, { signal });
    } catch (error) {
      signal?.throwIfAborted();
      if (scan.entries >= limits.maxEntries - entries)
        throw new InvalidImage(`it has more than ${limits.maxEntries} entries`, { cause: error });
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof InvalidImage && /holds more/.test(reason))
        throw new InvalidImage(`it holds more than ${Math.round(limits.maxBytes / 2 ** 20)} MiB`);
      throw new InvalidImage(`the layer ${digest.slice(0, 19)}… cannot be read: ${reason}`, {
        cause: error,
      });
    }
    bytes += scan.bytes;
    entries += scan.entries;
  }
  return { bytes, entries };
}
