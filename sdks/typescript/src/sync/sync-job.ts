import type { FilesApi } from '../filesystem/files-api.ts';
import type { IsIgnored } from '../tree/ignore-rules.ts';
import type { SkippedEntries } from '../tree/skipped.ts';
import type { SyncPlan } from './plan.ts';
import type { SyncOptions } from './sync-options.ts';

/** One run of a sync. */
export interface SyncJob {
  readonly api: FilesApi;
  /** Absolute path of the local directory. */
  readonly root: string;
  /** Path of the directory in the sandbox, without a slash at its end. */
  readonly remotePath: string;
  readonly isIgnored: IsIgnored;
  readonly skipped: SkippedEntries;
  readonly options: SyncOptions;
}

/** Path of an entry in the sandbox. */
export const remoteEntryPath = ({ remotePath }: SyncJob, path: string): string =>
  `${remotePath === '/' ? '' : remotePath}/${path}`;

/** Tells what will be done. @returns false when there is nothing to do, or nothing may be done */
export function announce(plan: SyncPlan, { dryRun, onAction }: SyncOptions): boolean {
  if (onAction !== undefined) for (const action of plan.actions) onAction(action);
  return dryRun !== true && plan.actions.length > 0;
}
