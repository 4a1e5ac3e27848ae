import type { SandboxFiles } from '@sandport/driver';
import { type Changes, type FileChange, type GuestPath, maxPageEntries } from '@sandport/protocol';

export interface ChangePageOptions {
  /** Most changes. @default 100_000 */
  readonly limit?: number;
  /** Goes on where the page with this cursor ended. */
  readonly cursor?: string;
  readonly signal?: AbortSignal;
}

/** A part of what a sandbox has changed of its template. */
export async function changePage(
  files: SandboxFiles,
  path: GuestPath,
  { limit = maxPageEntries, ...options }: ChangePageOptions = {},
): Promise<Changes> {
  const changes: FileChange[] = [];
  let cursor = '';
  for await (const listed of files.changes.list(path, options)) {
    if (changes.length === limit) return { path, changes, truncated: true, cursor };
    changes.push(listed.change);
    cursor = listed.cursor;
  }
  return { path, changes, truncated: false };
}
