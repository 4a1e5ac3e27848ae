import { mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { deleteDeadTree } from '../../sandbox/delete-tree.ts';
import { checkLayers, imageLimits } from '../images/check-layers.ts';
import { imageEnv } from '../images/image-env.ts';
import { readImage } from '../images/image-layout.ts';
import { imageUser } from '../images/image-user.ts';
import { unpackImage } from '../images/umoci.ts';
import { baseRecipe } from '../recipes/base.ts';
import { readTextIn } from '../root-files.ts';
import type { MadeRoot, MakeRootOptions } from './root-source.ts';

/**
 * Unpacks the image whose layout is in `fetched`, and takes its environment, user and directory;
 * `fetched` is gone afterwards.
 * @throws InvalidImage
 */
export async function rootOfImage(
  fetched: string,
  { rootPath, onLine, signal }: MakeRootOptions,
): Promise<Omit<MadeRoot, 'source'>> {
  const { maxBytes } = imageLimits;
  const image = await readImage(join(fetched, 'layout'));
  const { bytes, entries } = await checkLayers(image.layers, imageLimits, signal);
  const size = `${(bytes / 2 ** 20).toFixed(1)} MiB in ${entries} entries`;
  onLine(`unpacking ${image.layers.length} layers, ${size}`);
  mkdirSync(rootPath, { mode: 0o755 });
  await unpackImage({ directory: fetched, rootPath, maxBytes, onLine, signal });
  await deleteDeadTree(dirname(fetched), basename(fetched));
  const passwd = readTextIn(rootPath, '/etc/passwd') ?? 'root:x:0:0:root:/root:/bin/sh\n';
  const groups = readTextIn(rootPath, '/etc/group') ?? '';
  const { user, passwdLines } = imageUser(image.config.user, passwd, groups);
  const { workdir, env } = image.config;
  return {
    finish: { user: baseRecipe.user, directories: baseRecipe.directories, passwdLines },
    user,
    workdir: workdir.startsWith('/') ? workdir : '/workspace',
    env: { PATH: baseRecipe.env['PATH'] ?? '', ...imageEnv(env) },
    limits: baseRecipe.limits,
  };
}
