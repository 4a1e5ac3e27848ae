import { watch as watchLocal } from 'node:fs';
import { resolve } from 'node:path';
import { NotFoundError } from '../errors/api-errors.ts';
import type { FilesApi } from '../filesystem/files-api.ts';
import { ignoreRules } from '../tree/ignore-rules.ts';
import { checkLocalDirectory, walkLocal } from '../tree/local-tree.ts';
import { SkippedEntries } from '../tree/skipped.ts';
import { Hints } from './hints.ts';
import { syncDir } from './sync-dir.ts';
import type { SyncResult, WatchDirOptions } from './sync-options.ts';

/**
 * Keeps a directory of the sandbox the same as a local one; see `Filesystem.watchDir`. What the
 * system reports is only a hint that something may have changed: each sync looks at the whole tree,
 * and so does a rescan from time to time.
 */
export async function watchDir(
  api: FilesApi,
  localPath: string,
  remotePath: string,
  options: WatchDirOptions,
): Promise<void> {
  const { debounceMs = 100, rescanMs = 5000, signal } = options;
  const root = resolve(localPath);
  checkLocalDirectory(root);
  const hints = new Hints({ debounceMs, rescanMs, signal });
  const hintSource = hintsFrom(root, () => hints.give());
  try {
    await keepSynced(api, root, remotePath, options, hints);
  } finally {
    hintSource.close();
  }
}

async function keepSynced(
  api: FilesApi,
  root: string,
  remotePath: string,
  options: WatchDirOptions,
  hints: Hints,
): Promise<void> {
  const { signal, onSync, onError } = options;
  let synced: string | undefined;
  while (signal?.aborted !== true) {
    try {
      // Taken before the sync: what changes during it is seen as a change after it.
      const before = fingerprint(root, options);
      if (before === synced) await checkOwner(api, signal);
      else {
        const result = await syncDir(api, root, remotePath, options);
        if (synced === undefined || didSomething(result)) onSync?.(result);
        synced = before;
      }
    } catch (error) {
      if (signal?.aborted) return;
      if (onError === undefined) throw error;
      synced = undefined;
      onError(error);
    }
    await hints.next();
  }
}

/**
 * While nothing changes here, it is still noticed that the sandbox or volume has gone. Whatever else fails may
 * pass before there is something to send.
 * @throws NotFoundError
 */
async function checkOwner(api: FilesApi, signal: AbortSignal | undefined): Promise<void> {
  try {
    await api.transport.drain({ method: 'GET', path: api.ownerPath, signal });
  } catch (error) {
    if (error instanceof NotFoundError) throw error;
  }
}

/** Changes whenever anything changes that a sync would send. */
function fingerprint(root: string, options: WatchDirOptions): string {
  const parts: string[] = [];
  for (const entry of walkLocal(root, ignoreRules(root, options), new SkippedEntries())) {
    const { path, type, mode, mtimeNs, sizeBytes, linkTarget } = entry;
    parts.push(`${path}\0${type}\0${mode}\0${mtimeNs}\0${sizeBytes}\0${linkTarget ?? ''}`);
  }
  return parts.join('\n');
}

const didSomething = ({ created, updated, deleted }: SyncResult) => created + updated + deleted > 0;

/** Reports changes where the system can; without it there are the rescans. */
function hintsFrom(root: string, give: () => void): { close(): void } {
  try {
    const watcher = watchLocal(root, { recursive: true, persistent: false }, give);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return { close: () => {} };
  }
}
