import { resolve } from 'node:path';
import { type ArchiveResult, archiveResultSchema } from '@sandport/protocol';
import type { FilesApi } from '../filesystem/files-api.ts';
import type { OnProgress } from '../filesystem/progress.ts';
import { gzipped } from './gzip.ts';
import { ignoreRules } from './ignore-rules.ts';
import { checkLocalDirectory, type LocalEntry, walkLocal } from './local-tree.ts';
import { packTree } from './pack-tree.ts';
import { SkippedEntries } from './skipped.ts';
import type { TreeResult, UploadDirOptions } from './tree-options.ts';

/** Sends a local directory as one archive; see `Filesystem.uploadDir`. */
export async function uploadDir(
  api: FilesApi,
  localPath: string,
  remotePath: string,
  options: UploadDirOptions,
): Promise<TreeResult> {
  const root = resolve(localPath);
  checkLocalDirectory(root);
  options.signal?.throwIfAborted();
  const skipped = new SkippedEntries();
  const entries = [...walkLocal(root, ignoreRules(root, options), skipped)];
  const result = await sendEntries(api, root, remotePath, entries, options);
  return { ...treeCounts(result), skipped: skipped.listed, skippedCount: skipped.count };
}

export interface SendOptions
  extends Pick<UploadDirOptions, 'compression' | 'keepOwner' | 'onProgress' | 'signal'> {}

/** Sends local entries as one archive that is unpacked into a directory of the sandbox. */
export async function sendEntries(
  api: FilesApi,
  root: string,
  remotePath: string,
  entries: readonly LocalEntry[],
  options: SendOptions,
): Promise<ArchiveResult> {
  const { keepOwner = false, compression = 'none', signal } = options;
  const open = () => {
    const progress = new TreeProgress(entries, options.onProgress);
    const archive = packTree(root, entries, {
      keepOwner,
      onEntry: (entry, isHardLink) => progress.entry(entry, isHardLink),
      onBytes: (bytes) => progress.part(bytes),
    });
    return compression === 'gzip' ? gzipped(archive) : archive;
  };
  const spec = {
    method: 'PUT',
    path: `${api.fsPath}/archive`,
    query: { path: remotePath, keep_owner: keepOwner ? true : undefined },
    headers: { 'content-type': 'application/x-tar' },
    // Unpacking twice does what unpacking once does.
    body: { kind: 'stream', open, replayable: true },
    idleTimeoutMs: api.transport.slowTimeoutMs,
    signal,
  } as const;
  const message = await api.transport.send(spec);
  return api.transport.readJson(message, archiveResultSchema, spec);
}

function treeCounts({ hard_links, ...counts }: ArchiveResult) {
  // The daemon counts further names apart.
  return { ...counts, files: counts.files + hard_links, hardLinks: hard_links };
}

/** Adds up what has been packed. */
class TreeProgress {
  readonly #report: OnProgress | undefined;
  readonly #totalBytes: number;
  readonly #totalFiles: number;
  #bytes = 0;
  /** Bytes of the file under way that have been told already. */
  #told = 0;
  #files = 0;

  constructor(entries: readonly LocalEntry[], report: OnProgress | undefined) {
    this.#report = report;
    const files = report === undefined ? [] : entries.filter(({ type }) => type === 'file');
    const seen = new Set<string>();
    const counted = files.filter(({ hardLinkKey: key }) => {
      if (key === undefined) return true;
      return !seen.has(key) && seen.add(key) !== undefined;
    });
    this.#totalBytes = counted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.#totalFiles = files.length;
  }

  part(bytes: number): void {
    this.#bytes += bytes;
    this.#told += bytes;
    this.#tell();
  }

  entry({ type, sizeBytes }: LocalEntry, isHardLink: boolean): void {
    if (type !== 'file') return;
    if (!isHardLink) this.#bytes += sizeBytes - this.#told;
    this.#told = 0;
    this.#files += 1;
    this.#tell();
  }

  #tell(): void {
    this.#report?.({
      bytes: this.#bytes,
      totalBytes: this.#totalBytes,
      files: this.#files,
      totalFiles: this.#totalFiles,
    });
  }
}
