import { makeDirectory } from '../filesystem/entries/manage.ts';
import { removeFiles } from '../filesystem/batch/remove-files.ts';
import { checkLocalDirectory, walkLocal } from '../tree/local-tree.ts';
import { sendEntries } from '../tree/upload-dir.ts';
import { contentsComparison } from './contents.ts';
import { planSync, type SyncPlan } from './plan.ts';
import { localSyncEntry, remoteSyncEntries } from './sync-entry.ts';
import { announce, remoteEntryPath, type SyncJob } from './sync-job.ts';

/** Gives the sandbox what this machine has: what differs goes as one archive. */
export async function syncUp(job: SyncJob): Promise<SyncPlan> {
  const { api, root, remotePath, isIgnored, skipped, options } = job;
  const { checksum = false, signal } = options;
  checkLocalDirectory(root);
  const unnamed: string[] = [];
  // The daemon lists while this side does.
  const listing = remoteSyncEntries(api, remotePath, { checksum, signal }, (path) =>
    unnamed.push(path),
  );
  listing.catch(() => {});
  // The request is on its way before this side keeps the thread busy.
  await new Promise(setImmediate);
  const local = [...walkLocal(root, isIgnored, skipped)];
  const remote = await listing;
  const plan = await planSync(local.map(localSyncEntry), remote ?? new Map(), {
    delete: options.delete === true,
    isIgnored,
    protectedPaths: unnamed,
    sameContents: contentsComparison(root, checksum),
  });
  if (remote === undefined && options.dryRun !== true)
    await makeDirectory(api, remotePath, { signal });
  if (!announce(plan, options)) return plan;
  await removeAll(job, plan.remove);
  const sent = local.filter(({ path }) => plan.send.has(path) || plan.touched.has(path));
  if (sent.length > 0) await sendEntries(api, root, remotePath, sent, options);
  return plan;
}

async function removeAll(job: SyncJob, paths: readonly string[]): Promise<void> {
  const { signal } = job.options;
  const remote = paths.map((path) => remoteEntryPath(job, path));
  for (const result of await removeFiles(job.api, remote, { signal }))
    if (!result.ok) throw result.error;
}
