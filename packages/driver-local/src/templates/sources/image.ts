import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { copyImage, type ImageSource } from '../images/skopeo.ts';
import { imageLimits } from '../images/check-layers.ts';
import { needProgram } from '../tools/need-program.ts';
import { rootOfImage } from './root-of-image.ts';
import type { RootSource } from './root-source.ts';

/** From an image in a registry or an archive. */
export const imageSource =
  (source: ImageSource): RootSource =>
  async (options) => {
    needProgram('skopeo');
    needProgram('umoci');
    const { onLine, signal } = options;
    const fetched = join(options.directory, 'image');
    mkdirSync(fetched, { mode: 0o700 });
    const isNamed = source.kind === 'image';
    onLine(`copying the image ${isNamed ? source.reference : 'from the archive'}`);
    const { maxBytes } = imageLimits;
    await copyImage(source, { directory: fetched, maxBytes, onLine, signal });
    return {
      ...(await rootOfImage(fetched, options)),
      source: isNamed ? `image ${source.reference}` : 'image from an archive',
    };
  };
