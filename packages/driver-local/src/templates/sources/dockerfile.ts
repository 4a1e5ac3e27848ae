import { existsSync, mkdirSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { SandportFault } from '@sandport/protocol';
import { imageLimits } from '../images/check-layers.ts';
import { networkPaths, proxyEnv } from '../tools/network.ts';
import { needProgram } from '../tools/need-program.ts';
import { runConfined } from '../tools/run-confined.ts';
import { rootOfImage } from './root-of-image.ts';
import type { RootSource } from './root-source.ts';

export interface DockerfileSource {
  readonly context: string;
  /** @default 'Dockerfile' */
  readonly dockerfile?: string | undefined;
}

const timeoutMs = 2 * 60 * 60_000;

/** Arguments: the Dockerfile. Everything that buildah keeps is below /work. */
const script = `
common="--root /work/storage --runroot /work/running --storage-driver vfs"
buildah $common build --isolation chroot --format oci --file "$1" --tag localhost/result /context
buildah $common push --quiet localhost/result oci:/work/layout:image
`;

/**
 * From a Dockerfile, by buildah. Its RUN steps are run as root, in a root of their own without the
 * files of the machine, but with its network: whoever may build must be trusted that far.
 */
export const dockerfileSource =
  ({ context, dockerfile = 'Dockerfile' }: DockerfileSource): RootSource =>
  async (options) => {
    needProgram('buildah');
    needProgram('umoci');
    const file = normalize(dockerfile);
    if (file.startsWith('/') || file.startsWith('..') || !existsSync(join(context, file)))
      throw new SandportFault('invalid_request', `There is no "${dockerfile}" in the directory.`, {
        field: 'dockerfile',
      });
    const { directory, onLine, signal } = options;
    const made = join(directory, 'image');
    const temporary = join(made, 'temporary');
    const cache = join(made, 'cache');
    for (const each of [made, temporary, cache]) mkdirSync(each, { mode: 0o700 });
    await runConfined('sh', ['-ec', script, 'build', `/context/${file}`], {
      directory,
      paths: [
        { source: made, target: '/work', writable: true },
        { source: temporary, target: '/var/tmp', writable: true },
        { source: temporary, target: '/tmp', writable: true },
        { source: cache, target: '/var/lib/containers', writable: true },
        { source: cache, target: '/run', writable: true },
        { source: context, target: '/context' },
        ...networkPaths(),
      ],
      rights: 'all',
      network: true,
      maxFileBytes: imageLimits.maxBytes,
      timeoutMs,
      onLine,
      signal,
      failureIn: (line) => /^Error: (.*)$/.exec(line)?.[1],
      env: { TMPDIR: '/var/tmp', ...proxyEnv() },
    });
    return { ...(await rootOfImage(made, options)), source: 'Dockerfile' };
  };
