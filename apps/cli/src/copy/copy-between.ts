import type { FileInfo, Sandbox } from 'sandport';
import type { SandboxPlace } from '../parse/copy-place.ts';
import { UsageError } from '../usage-error.ts';
import type { CopyJob } from './copy-job.ts';
import { addCounts, type CopyCounts, nothingCopied, oneFile } from './copy-result.ts';
import { remoteTargetKind } from './look-up.ts';
import { serverExcludes } from './server-excludes.ts';
import { streamDirectory } from './stream-directory.ts';
import { nameOf, targetPathOf } from './target.ts';

/** Copies from sandboxes into another one; the bytes stream through this machine. */
export async function copyBetween(
  sources: readonly SandboxPlace[],
  to: SandboxPlace,
  job: CopyJob,
): Promise<CopyCounts> {
  const { sandboxes, signal, options, progress } = job;
  const exclude = serverExcludes(options.ignore);
  if (exclude.length < options.ignore.length) {
    throw new UsageError(
      'Between two sandboxes --exclude takes names and endings only, as node_modules or *.log.',
    );
  }
  const into = await sandboxes.get(to.sandbox);
  const kind = await remoteTargetKind(into.filesystem, to.path, signal);
  const target = { text: `${to.sandbox}:${to.path}`, path: to.path, kind };
  let counts = nothingCopied;
  for (const { sandbox, path } of sources) {
    const from = await sandboxes.get(sandbox);
    const info = await from.filesystem.stat(path, { signal });
    const source = { text: `${sandbox}:${path}`, path, isDirectory: info.isDirectory };
    const end = { sandbox: into, path: targetPathOf(source, target, sources.length === 1) };
    const onProgress = progress.start(nameOf(path) ?? path);
    const { compression, maxBytes, maxEntries } = options;
    const how = { exclude, compression, maxBytes, maxEntries, signal, onProgress };
    const copied = info.isDirectory
      ? await streamDirectory(sandboxes.client, { sandbox: from, path }, end, how)
      : oneFile(await streamFile(from, info, end, { signal, onProgress }));
    counts = addCounts(counts, copied);
  }
  return counts;
}

async function streamFile(
  from: Sandbox,
  { path, permissions, modifiedAt }: FileInfo,
  to: { readonly sandbox: Sandbox; readonly path: string },
  options: Parameters<typeof to.sandbox.filesystem.write>[2],
): Promise<number> {
  const signal = options?.signal;
  const stream = await from.filesystem.readStream(path, { signal });
  const mode = Number.parseInt(permissions, 8) & 0o777;
  const how = { ...options, mode, mtime: modifiedAt };
  const { bytes } = await to.sandbox.filesystem.write(to.path, stream, how);
  return bytes;
}
