import type { RemotePlace, LocalPlace } from '../parse/copy-place.ts';
import type { CopyJob } from './copy-job.ts';
import { addCounts, type CopyCounts, nothingCopied, oneFile } from './copy-result.ts';
import { remoteTargetKind, statLocal } from './look-up.ts';
import { nameOf, targetPathOf } from './target.ts';

/** Copies local files and directories into a sandbox. */
export async function copyIn(
  sources: readonly LocalPlace[],
  to: RemotePlace,
  job: CopyJob,
): Promise<CopyCounts> {
  const { signal, options, progress } = job;
  // A source that is missing is told before anything is copied.
  const stats = await Promise.all(sources.map(({ path }) => statLocal(path)));
  const { filesystem } = await job.holders.get(to.holder);
  const kind = await remoteTargetKind(filesystem, to.path, signal);
  const target = { text: `${to.holder}:${to.path}`, path: to.path, kind };
  const steps = sources.map(({ path }, index) => {
    const isDirectory = stats[index]?.isDirectory() ?? false;
    const source = { text: path, path, isDirectory };
    const mode = stats[index]?.mode ?? 0;
    return { ...source, mode, to: targetPathOf(source, target, sources.length === 1) };
  });
  let counts = nothingCopied;
  for (const step of steps) {
    const onProgress = progress.start(nameOf(step.path) ?? step.path);
    const { ignore, ignoreFile, compression } = options;
    if (step.isDirectory) {
      const which = { ignore, ignoreFile, compression, signal, onProgress };
      counts = addCounts(counts, await filesystem.uploadDir(step.path, step.to, which));
      continue;
    }
    // A program stays one: the execute bits are kept.
    const executable = step.mode & 0o111;
    const mode = executable === 0 ? undefined : 0o644 | executable;
    const { bytes } = await filesystem.upload(step.path, step.to, { mode, signal, onProgress });
    counts = addCounts(counts, oneFile(bytes));
  }
  return counts;
}
