import { Buffer } from 'node:buffer';
import type { FileType } from '@sandport/protocol';
import { NotFoundError } from '../errors/api-errors.ts';
import { SandportError } from '../errors/sandport-error.ts';
import { listPages } from '../filesystem/entries/list-pages.ts';
import type { FilesApi } from '../filesystem/files-api.ts';
import { millisecondsOf } from '../filesystem/file-time.ts';
import { entryName } from '../tree/entry-name.ts';
import type { LocalEntry } from '../tree/local-tree.ts';

/** What two sides are compared by. */
export interface SyncEntry {
  /** Relative, with `/` between names. */
  readonly path: string;
  readonly type: FileType;
  readonly sizeBytes: number;
  /** Last change, whole milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Permission bits without set-user-id and its kin, which not every transfer keeps. */
  readonly mode: number;
  readonly linkTarget: string | undefined;
  /** SHA-256 in hex, where it was asked for. */
  readonly sha256: string | undefined;
}

export const localSyncEntry = (entry: LocalEntry): SyncEntry => ({
  path: entry.path,
  type: entry.type,
  sizeBytes: entry.sizeBytes,
  mtimeMs: millisecondsOf(entry.mtimeNs),
  mode: entry.mode & 0o777,
  linkTarget: entry.linkTarget,
  sha256: undefined,
});

/**
 * All entries below a directory of the sandbox, by their paths; undefined when it does not exist.
 * @param onUnnamed called with what has no name in UTF-8, and so cannot be transferred
 */
export async function remoteSyncEntries(
  api: FilesApi,
  root: string,
  options: { checksum: boolean; signal?: AbortSignal | undefined },
  onUnnamed: (path: string) => void,
): Promise<Map<string, SyncEntry> | undefined> {
  const found = new Map<string, SyncEntry>();
  const prefix = root === '/' ? '/' : `${root}/`;
  try {
    for await (const page of listPages(api, root, { ...options, recursive: true })) {
      for (const entry of page) {
        const below = entry.path.startsWith(prefix) ? entry.path.slice(prefix.length) : '';
        const path = entryName(Buffer.from(below)) ?? '';
        if (path === '') throw unexpected(entry.path);
        if (path.includes('\uFFFD')) {
          onUnnamed(path);
          continue;
        }
        found.set(path, {
          path,
          type: entry.type,
          sizeBytes: entry.type === 'file' ? entry.size : 0,
          mtimeMs: Date.parse(entry.modified_at),
          mode: Number.parseInt(entry.permissions, 8) & 0o777,
          linkTarget: entry.symlink_target,
          sha256: entry.sha256,
        });
      }
    }
  } catch (error) {
    if (error instanceof NotFoundError && error.code === 'file_not_found') return undefined;
    throw error;
  }
  return found;
}

const unexpected = (path: string) =>
  new SandportError(
    `The daemon listed ${JSON.stringify(path)}, which is not below the directory.`,
    {
      code: 'unexpected_answer',
    },
  );
