import { resolve } from 'node:path';
import type { FilesApi } from '../filesystem/files-api.ts';
import { ignoreRules } from '../tree/ignore-rules.ts';
import { SkippedEntries } from '../tree/skipped.ts';
import { syncDown } from './sync-down.ts';
import type { SyncOptions, SyncResult } from './sync-options.ts';
import { syncUp } from './sync-up.ts';

const maxListedActions = 10_000;

/** Makes two directories the same; see `Filesystem.syncDir`. */
export async function syncDir(
  api: FilesApi,
  localPath: string,
  remotePath: string,
  options: SyncOptions,
): Promise<SyncResult> {
  const root = resolve(localPath);
  options.signal?.throwIfAborted();
  const skipped = new SkippedEntries();
  const job = {
    api,
    root,
    remotePath: plainPath(remotePath),
    isIgnored: ignoreRules(root, options),
    skipped,
    options,
  };
  const plan = await (options.direction === 'down' ? syncDown(job) : syncUp(job));
  const count = (...kinds: readonly string[]) =>
    plan.actions.filter(({ action }) => kinds.includes(action)).length;
  return {
    created: count('created'),
    updated: count('updated', 'replaced'),
    deleted: count('deleted'),
    unchanged: plan.unchanged,
    bytes: plan.bytes,
    actions: plan.actions.slice(0, maxListedActions),
    skipped: skipped.listed,
    dryRun: options.dryRun === true,
  };
}

/** Without doubled slashes, `.` and a slash at its end: entries are named below it. */
const plainPath = (path: string) =>
  path.replaceAll(/\/(?:\.?\/)+/g, '/').replace(/(?<=.)\/\.?$/, '') || '/';
