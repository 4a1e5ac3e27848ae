import { chmod, stat } from 'node:fs/promises';
import type { FileInfo } from 'sandport';
import type { LocalPlace, RemotePlace } from '../parse/copy-place.ts';
import type { CopyJob } from './copy-job.ts';
import { addCounts, type CopyCounts, nothingCopied, oneFile } from './copy-result.ts';
import { localTargetKind } from './look-up.ts';
import { serverExcludes } from './server-excludes.ts';
import { withTotals } from './with-totals.ts';
import { nameOf, targetPathOf } from './target.ts';

/** Copies files and directories of sandboxes to this machine. */
export async function copyOut(
  sources: readonly RemotePlace[],
  to: LocalPlace,
  job: CopyJob,
): Promise<CopyCounts> {
  const { signal, options, progress, holders } = job;
  const target = { text: to.path, path: to.path, kind: await localTargetKind(to.path) };
  const steps = [];
  for (const { holder, path } of sources) {
    const { filesystem } = await holders.get(holder);
    const info = await filesystem.stat(path, { signal });
    const source = { text: `${holder}:${path}`, path, isDirectory: info.isDirectory };
    const targetPath = targetPathOf(source, target, sources.length === 1);
    steps.push({ filesystem, path, info, to: targetPath });
  }
  let counts = nothingCopied;
  for (const { filesystem, path, info, to: localPath } of steps) {
    const onProgress = progress.start(nameOf(path) ?? path);
    if (info.isDirectory) {
      const measured = withTotals(onProgress, () => filesystem.diskUsage(path, { signal }));
      const { ignore, compression, maxBytes, maxEntries, unsafeLinks } = options;
      const which = { ignore, exclude: serverExcludes(ignore), compression, unsafeLinks };
      const limits = { maxBytes, maxEntries };
      const how = {
        ...which,
        ...limits,
        ignoreFile: options.ignoreFile,
        signal,
        onProgress: measured,
      };
      counts = addCounts(counts, await filesystem.downloadDir(path, localPath, how));
      continue;
    }
    const isNew = (await localTargetKind(localPath)) === 'missing';
    const { bytes } = await filesystem.download(path, localPath, { signal, onProgress });
    if (isNew) await keepExecutable(localPath, info);
    counts = addCounts(counts, oneFile(bytes));
  }
  return counts;
}

/** A program stays one, for those who may read it. */
async function keepExecutable(localPath: string, { permissions }: FileInfo): Promise<void> {
  if ((Number.parseInt(permissions, 8) & 0o111) === 0) return;
  const { mode } = await stat(localPath);
  await chmod(localPath, (mode & 0o777) | ((mode & 0o444) >> 2));
}
