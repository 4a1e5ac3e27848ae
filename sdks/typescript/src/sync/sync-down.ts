import { chmodSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { NotFoundError, TooLargeError } from '../errors/api-errors.ts';
import { readFileEntries } from '../filesystem/batch/read-files.ts';
import { utimesSeconds } from '../filesystem/file-time.ts';
import { downloadFile } from '../filesystem/download/download-file.ts';
import { makeDirectories } from '../filesystem/make-directories.ts';
import type { TransferProgress } from '../filesystem/progress.ts';
import { defaultMaxBytes, defaultMaxEntries, fetchTree } from '../tree/download-dir.ts';
import { staysInside } from '../tree/entry-name.ts';
import { walkLocal } from '../tree/local-tree.ts';
import { TreeTarget, unwritable } from '../tree/tree-target.ts';
import { contentsComparison } from './contents.ts';
import { planSync, type SyncPlan } from './plan.ts';
import { localSyncEntry, remoteSyncEntries, type SyncEntry } from './sync-entry.ts';
import { announce, remoteEntryPath, type SyncJob } from './sync-job.ts';

/** From so many files on, and when most differ, the whole directory comes as one archive. */
const minArchiveFiles = 64;
/** Files up to this size come together. */
const maxTogetherBytes = 1024 * 1024;

/** Gives this machine what the sandbox has. */
export async function syncDown(job: SyncJob): Promise<SyncPlan> {
  const { api, root, remotePath, isIgnored, skipped, options } = job;
  const { checksum = false, dryRun, signal } = options;
  const unwanted: string[] = [];
  const skip = (path: string, why: string) => {
    skipped.add(path, why);
    unwanted.push(path);
  };
  const remote = await remoteSyncEntries(api, remotePath, { checksum, signal }, (path) =>
    skip(path, 'its name is not UTF-8'),
  );
  // A path that does not exist must not empty the local directory.
  if (remote === undefined) throw missing(remotePath);
  const wanted = [...remote.values()].filter((entry) => {
    if (isIgnored(entry.path, entry.type === 'directory')) return false;
    const why = whyUnwanted(entry, options.unsafeLinks ?? 'skip');
    if (why !== undefined) skip(entry.path, why);
    return why === undefined;
  });
  checkLimits(wanted, job);
  if (dryRun !== true) makeRoot(root);
  const local = new Map(
    [...walkLocal(root, isIgnored, skipped)].map((entry) => [entry.path, localSyncEntry(entry)]),
  );
  const plan = await planSync(wanted, local, {
    delete: options.delete === true,
    isIgnored,
    protectedPaths: unwanted,
    sameContents: contentsComparison(root, checksum),
  });
  if (!announce(plan, options)) return plan;
  for (const path of plan.remove) removeLocal(join(root, path));
  await fetchEntries(job, plan, wanted);
  return plan;
}

const missing = (path: string) =>
  new NotFoundError(`There is no ${path} in the sandbox.`, {
    code: 'file_not_found',
    details: { path },
  });

function whyUnwanted(entry: SyncEntry, unsafeLinks: 'skip' | 'keep'): string | undefined {
  const { type, path, linkTarget = '' } = entry;
  if (type === 'other') return 'it is a FIFO, a socket or a device';
  if (type !== 'symlink') return undefined;
  if (linkTarget === '' || linkTarget.includes('\uFFFD')) return 'its target is not UTF-8';
  return unsafeLinks === 'keep' || staysInside(path, linkTarget)
    ? undefined
    : `it is a symbolic link that may lead out: ${linkTarget}`;
}

function checkLimits(entries: readonly SyncEntry[], { remotePath, options }: SyncJob): void {
  const { maxEntries = defaultMaxEntries, maxBytes = defaultMaxBytes } = options;
  const bytes = entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (entries.length <= maxEntries && bytes <= maxBytes) return;
  throw new TooLargeError(
    `${remotePath} has ${entries.length} entries and ${bytes} bytes; raise maxEntries or maxBytes if that is what you expect.`,
    {
      code: 'payload_too_large',
      details: { path: remotePath, limit_bytes: maxBytes, limit_entries: maxEntries },
    },
  );
}

async function fetchEntries(
  job: SyncJob,
  plan: SyncPlan,
  wanted: readonly SyncEntry[],
): Promise<void> {
  const { api, root, remotePath, options } = job;
  const chosen = wanted.filter(({ path }) => plan.send.has(path) || plan.touched.has(path));
  const files = chosen.filter(({ type }) => type === 'file');
  const allFiles = wanted.filter(({ type }) => type === 'file').length;
  if (files.length >= minArchiveFiles && files.length * 2 > allFiles) {
    const accept = (path: string) => plan.send.has(path) || plan.touched.has(path);
    await fetchTree(api, remotePath, root, { ...options, accept });
    return;
  }
  const target = new TreeTarget(root, true);
  for (const entry of chosen) {
    const attributes = { mode: entry.mode, mtimeNs: BigInt(entry.mtimeMs) * 1_000_000n };
    if (entry.type === 'directory') target.directory(entry.path, attributes);
    else if (entry.type === 'symlink')
      target.symlink(entry.path, entry.linkTarget ?? '', attributes.mtimeNs);
  }
  await fetchFiles(job, target, files, plan.bytes);
  target.finish();
}

async function fetchFiles(
  job: SyncJob,
  target: TreeTarget,
  files: readonly SyncEntry[],
  totalBytes: number,
): Promise<void> {
  const { api, options } = job;
  const { signal, onProgress } = options;
  let bytes = 0;
  let done = 0;
  const tell = (part = 0) =>
    onProgress?.({ bytes: bytes + part, totalBytes, files: done, totalFiles: files.length });
  const small = files.filter(({ sizeBytes }) => sizeBytes <= maxTogetherBytes);
  const byPath = new Map(small.map((entry) => [remoteEntryPath(job, entry.path), entry]));
  for await (const result of readFileEntries(api, byPath.keys(), { signal })) {
    if (!result.ok) throw result.error;
    const entry = byPath.get(result.path);
    if (entry === undefined) continue;
    using file = target.file(entry.path, {
      mode: Number.parseInt(result.permissions, 8),
      mtimeNs: BigInt(result.modifiedAt.getTime()) * 1_000_000n,
    });
    file.write(result.content);
    file.finish();
    bytes += result.content.byteLength;
    done += 1;
    tell();
  }
  for (const entry of files.filter(({ sizeBytes }) => sizeBytes > maxTogetherBytes)) {
    const local = target.place(entry.path);
    const whole = {
      signal,
      onProgress: (progress: TransferProgress) => tell(progress.bytes),
    };
    await downloadFile(api, remoteEntryPath(job, entry.path), local, whole, 'replace');
    setAttributes(local, entry);
    bytes += entry.sizeBytes;
    done += 1;
    tell();
  }
}

function setAttributes(path: string, { mode, mtimeMs }: SyncEntry): void {
  try {
    chmodSync(path, mode);
    const seconds = utimesSeconds(BigInt(mtimeMs) * 1_000_000n);
    utimesSync(path, seconds, seconds);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

function makeRoot(root: string): void {
  try {
    makeDirectories(root);
  } catch (cause) {
    throw unwritable(root, cause);
  }
}

function removeLocal(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (cause) {
    throw unwritable(path, cause);
  }
}
