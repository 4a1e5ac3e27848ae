import type { FileInfo } from 'sandport';
import type { RemotePlace } from '../parse/copy-place.ts';
import { UsageError } from '../usage-error.ts';
import type { CopyJob } from './copy-job.ts';
import { addCounts, type CopyCounts, nothingCopied, oneFile } from './copy-result.ts';
import type { Holder } from './holders.ts';
import { remoteTargetKind } from './look-up.ts';
import { serverExcludes } from './server-excludes.ts';
import { streamDirectory } from './stream-directory.ts';
import { nameOf, targetPathOf } from './target.ts';

/** Copies from sandboxes and volumes into another one; the bytes stream through this machine. */
export async function copyBetween(
  sources: readonly RemotePlace[],
  to: RemotePlace,
  job: CopyJob,
): Promise<CopyCounts> {
  const { holders, signal, options, progress } = job;
  const exclude = serverExcludes(options.ignore);
  if (exclude.length < options.ignore.length) {
    throw new UsageError(
      'Between two sandboxes --exclude takes names and endings only, as node_modules or *.log.',
    );
  }
  const into = await holders.get(to.holder);
  const kind = await remoteTargetKind(into.filesystem, to.path, signal);
  const target = { text: `${to.holder}:${to.path}`, path: to.path, kind };
  let counts = nothingCopied;
  for (const { holder, path } of sources) {
    const from = await holders.get(holder);
    const info = await from.filesystem.stat(path, { signal });
    const source = { text: `${holder}:${path}`, path, isDirectory: info.isDirectory };
    const end = { holder: into, path: targetPathOf(source, target, sources.length === 1) };
    const onProgress = progress.start(nameOf(path) ?? path);
    const { compression, maxBytes, maxEntries } = options;
    const how = { exclude, compression, maxBytes, maxEntries, signal, onProgress };
    const copied = info.isDirectory
      ? await streamDirectory(holders.client, { holder: from, path }, end, how)
      : oneFile(await streamFile(from, info, end, { signal, onProgress }));
    counts = addCounts(counts, copied);
  }
  return counts;
}

async function streamFile(
  from: Holder,
  { path, permissions, modifiedAt }: FileInfo,
  to: { readonly holder: Holder; readonly path: string },
  options: Parameters<typeof to.holder.filesystem.write>[2],
): Promise<number> {
  const signal = options?.signal;
  const stream = await from.filesystem.readStream(path, { signal });
  const mode = Number.parseInt(permissions, 8) & 0o777;
  const how = { ...options, mode, mtime: modifiedAt };
  const { bytes } = await to.holder.filesystem.write(to.path, stream, how);
  return bytes;
}
