import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { deleteDeadTree } from '../../sandbox/delete-tree.ts';
import { checkLayers, imageLimits } from '../images/check-layers.ts';
import { imageEnv } from '../images/image-env.ts';
import { readImage } from '../images/image-layout.ts';
import { imageUser } from '../images/image-user.ts';
import { copyImage, type ImageSource } from '../images/skopeo.ts';
import { unpackImage } from '../images/umoci.ts';
import { baseRecipe } from '../recipes/base.ts';
import { readTextIn } from '../root-files.ts';
import { needProgram } from '../tools/need-program.ts';
import type { RootSource } from './root-source.ts';

/** From an image in a registry or an archive, with its environment, user and directory. */
export const imageSource =
  (source: ImageSource): RootSource =>
  async ({ directory, rootPath, onLine, signal }) => {
    needProgram('skopeo');
    needProgram('umoci');
    const { maxBytes } = imageLimits;
    const fetched = join(directory, 'image');
    mkdirSync(fetched, { mode: 0o700 });
    mkdirSync(rootPath, { mode: 0o755 });
    const name = source.kind === 'image' ? source.reference : 'archive';
    onLine(`copying the image${source.kind === 'image' ? ` ${name}` : ' from the archive'}`);
    await copyImage(source, { directory: fetched, maxBytes, onLine, signal });
    const image = await readImage(join(fetched, 'layout'));
    const { bytes, entries } = await checkLayers(image.layers, imageLimits, signal);
    const size = `${(bytes / 2 ** 20).toFixed(1)} MiB in ${entries} entries`;
    onLine(`unpacking ${image.layers.length} layers, ${size}`);
    await unpackImage({ directory: fetched, rootPath, maxBytes, onLine, signal });
    await deleteDeadTree(directory, 'image');
    const passwd = readTextIn(rootPath, '/etc/passwd') ?? 'root:x:0:0:root:/root:/bin/sh\n';
    const groups = readTextIn(rootPath, '/etc/group') ?? '';
    const { user, passwdLines } = imageUser(image.config.user, passwd, groups);
    return {
      finish: { user: baseRecipe.user, directories: baseRecipe.directories, passwdLines },
      source: source.kind === 'image' ? `image ${name}` : 'image from an archive',
      user,
      workdir: image.config.workdir.startsWith('/') ? image.config.workdir : '/workspace',
      env: { PATH: baseRecipe.env['PATH'] ?? '', ...imageEnv(image.config.env) },
      limits: baseRecipe.limits,
    };
  };
