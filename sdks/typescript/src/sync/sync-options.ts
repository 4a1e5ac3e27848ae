import type { TransferOptions } from '../filesystem/progress.ts';
import type { ExtractLimits, IgnoreOptions, SkippedEntry } from '../tree/tree-options.ts';

/** One thing that a sync does, or in a dry run would do. */
export interface SyncAction {
  /** `replaced`: something of another type is removed first. */
  readonly action: 'created' | 'updated' | 'replaced' | 'deleted';
  /** Path below the directory. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
  /** Bytes that are sent for it. */
  readonly bytes: number;
}

export interface SyncOptions extends TransferOptions, IgnoreOptions, ExtractLimits {
  /** `up`: the sandbox gets what this machine has; `down`: the other way round. @default 'up' */
  direction?: 'up' | 'down' | undefined;
  /** Remove what the source does not have. Ignored entries stay. @default false */
  delete?: boolean | undefined;
  /** Compare files by SHA-256 instead of size and time of the last change. @default false */
  checksum?: boolean | undefined;
  /** Change nothing, only tell what would be done. @default false */
  dryRun?: boolean | undefined;
  /** As for `downloadDir`, with `direction: 'down'`. @default 'skip' */
  unsafeLinks?: 'skip' | 'keep' | undefined;
  /** Called with each action before it is done. */
  onAction?: ((action: SyncAction) => void) | undefined;
}

export interface SyncResult {
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  readonly unchanged: number;
  /** Bytes of file contents that were sent. */
  readonly bytes: number;
  /** At most 10,000 of them; `onAction` sees them all. */
  readonly actions: readonly SyncAction[];
  readonly skipped: readonly SkippedEntry[];
  readonly dryRun: boolean;
}

export interface WatchDirOptions extends Omit<SyncOptions, 'direction' | 'dryRun'> {
  /** Milliseconds without a further change after which a sync begins. @default 100 */
  debounceMs?: number | undefined;
  /** Milliseconds after which a sync looks at everything, whatever was reported. @default 5000 */
  rescanMs?: number | undefined;
  /** Called after each sync that did something, the first one always. */
  onSync?: ((result: SyncResult) => void) | undefined;
  /** Called when a sync failed; the next change or rescan tries again. @default the error ends the watch */
  onError?: ((error: unknown) => void) | undefined;
}
