import type { Filesystem } from 'sandport';
import type { CopyPlace, LocalPlace, RemotePlace } from '../parse/copy-place.ts';
import { UsageError } from '../usage-error.ts';
import { copyBetween } from './copy-between.ts';
import { copyIn } from './copy-in.ts';
import { copyInside, type InsideStep, planInside } from './copy-inside.ts';
import type { CopyJob } from './copy-job.ts';
import { copyOut } from './copy-out.ts';
import { addCounts, type CopyCounts, nothingCopied } from './copy-result.ts';
import type { Holder } from './holders.ts';
import { copyFromStdin, copyToStdout } from './copy-standard.ts';

/** Copies sources to a target, wherever they are, and tells what was copied. */
export async function runCopy(
  sources: readonly CopyPlace[],
  target: CopyPlace,
  job: CopyJob,
): Promise<CopyCounts> {
  const [first] = sources;
  if (first === undefined) throw new UsageError('The target is missing.');
  const standard = [...sources, target].some(({ kind }) => kind === 'standard');
  if (standard && sources.length > 1) {
    throw new UsageError('Standard input and output take one source and one target.');
  }
  if (target.kind === 'remote') {
    if (first.kind === 'standard') return copyFromStdin(target, job);
    if (allLocal(sources)) return copyIn(sources, target, job);
    if (allRemote(sources)) return copyAcross(sources, target, job);
    throw new UsageError('Sources are either all local, or all in sandboxes and volumes.');
  }
  if (!allRemote(sources)) {
    throw new UsageError(
      'The sources or the target must be in a sandbox, as BOX:/path, or on a volume, as volume:NAME:/path.',
    );
  }
  const [source] = sources;
  if (target.kind === 'local') return copyOut(sources, target, job);
  return source === undefined ? nothingCopied : copyToStdout(source, job);
}

/** Within one sandbox the daemon copies; between two the bytes pass through here. */
async function copyAcross(
  sources: readonly RemotePlace[],
  target: RemotePlace,
  job: CopyJob,
): Promise<CopyCounts> {
  const { holders, signal, options } = job;
  const into = await holders.get(target.holder);
  const from: Holder[] = [];
  for (const { holder } of sources) from.push(await holders.get(holder));
  if (from.every(({ id }) => id === into.id)) {
    if (options.ignore.length > 0) {
      throw new UsageError(
        'Within one sandbox or volume nothing can be left out; copy, then remove it.',
      );
    }
    const { filesystem } = into;
    const steps = await planInside(filesystem, sources, target, { signal, followSymlinks: true });
    const counts = options.count ? await countSources(filesystem, steps, signal) : nothingCopied;
    await copyInside(filesystem, steps, { signal });
    return counts;
  }
  return copyBetween(sources, target, job);
}

async function countSources(
  filesystem: Filesystem,
  steps: readonly InsideStep[],
  signal: AbortSignal,
): Promise<CopyCounts> {
  let counts = nothingCopied;
  for (const { from } of steps) {
    const { files, directories, symlinks, sizeBytes } = await filesystem.diskUsage(from, {
      signal,
    });
    counts = addCounts(counts, {
      ...nothingCopied,
      files,
      directories,
      symlinks,
      bytes: sizeBytes,
    });
  }
  return counts;
}

const allLocal = (places: readonly CopyPlace[]): places is readonly LocalPlace[] =>
  places.every(({ kind }) => kind === 'local');

const allRemote = (places: readonly CopyPlace[]): places is readonly RemotePlace[] =>
  places.every(({ kind }) => kind === 'remote');
