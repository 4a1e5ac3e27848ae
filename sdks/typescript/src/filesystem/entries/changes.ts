import { type Changes, changesSchema, type FileChange as ChangeOnWire } from '@sandport/protocol';
import { type FilesApi, guestPath } from '../files-api.ts';
import type { SignalOptions } from '../progress.ts';

/** What differs between a sandbox and its template at one path. */
export interface FileChange {
  readonly path: string;
  /** Base64 of the name, when it is not UTF-8. */
  readonly nameBase64?: string;
  readonly change: 'added' | 'modified' | 'deleted';
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
  /** Bytes; of what is deleted, those in the template. */
  readonly size: number;
  /** Bytes in the template, of what is modified. */
  readonly previousSize?: number;
}

export interface ChangesOptions extends SignalOptions {
  /** Only at and below this path. @default '/' */
  path?: string | undefined;
}

const pageChanges = 5000;

/** Changes in tree order, page by page. */
export async function* changeEntries(
  api: FilesApi,
  options: ChangesOptions,
): AsyncGenerator<FileChange, void, undefined> {
  const query = { path: guestPath(options.path ?? '/'), limit: pageChanges };
  let cursor: string | undefined;
  do {
    const page: Changes = await api.get('/changes', { ...query, cursor }, changesSchema, {
      ...options,
      isSlow: true,
    });
    yield* page.changes.map(changeOf);
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
}

function changeOf({ name_base64, previous_size, ...same }: ChangeOnWire): FileChange {
  return {
    ...same,
    ...(name_base64 !== undefined && { nameBase64: name_base64 }),
    ...(previous_size !== undefined && { previousSize: previous_size }),
  };
}
