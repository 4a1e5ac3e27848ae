import type { FileEntry } from '@sandport/protocol';
import type { Schema } from '../../http/transport.ts';
import { type FilesApi, guestPath } from '../files-api.ts';
import type { ListOptions } from './list-options.ts';

/**
 * Entries of the first page, and most of a later one. Each is twice as long as the one before: the
 * daemon reads all names of a directory for every page that begins in it, which takes it a second
 * where there are a million.
 */
const firstPageEntries = 5_000;
const maxPageEntries = 50_000;

interface Page {
  readonly entries: FileEntry[];
  readonly cursor: string | undefined;
}

/** Pages of a listing, in tree order. The next one is under way while a page is looked at. */
export async function* listPages(
  api: FilesApi,
  path: string,
  options: ListOptions,
): AsyncGenerator<FileEntry[], void, undefined> {
  const query = {
    path: guestPath(path),
    recursive: options.recursive === true ? true : undefined,
    depth: options.depth,
    glob: options.glob,
    hidden: options.hidden === false ? false : undefined,
    type: options.type,
    checksum: options.checksum === true ? 'sha-256' : undefined,
  };
  let limit = firstPageEntries;
  const ask = (cursor?: string) => {
    const { signal } = options;
    // A filter may look at very many entries for few, and digests take time.
    const page = api.get('/dir', { ...query, limit, cursor }, pageSchema, {
      signal,
      isSlow: true,
    });
    limit = Math.min(2 * limit, maxPageEntries);
    // Its failure is met when it is awaited.
    page.catch(() => {});
    return page;
  };
  let next: Promise<Page> | undefined = ask();
  while (next !== undefined) {
    const page: Page = await next;
    next = page.cursor === undefined ? undefined : ask(page.cursor);
    if (page.entries.length > 0) yield page.entries;
  }
}

/**
 * Looks at the fields that are worked with, and no more: a listing may have a million entries.
 */
const pageSchema: Schema<Page> = {
  parse(value) {
    const { entries, cursor } = fieldsOf(value);
    if (!Array.isArray(entries) || !entries.every(isEntry))
      throw new TypeError('A listing has entries with name, path, type, size and times.');
    return { entries, cursor: typeof cursor === 'string' ? cursor : undefined };
  },
};

function isEntry(value: unknown): value is FileEntry {
  const { name, path, type, size, permissions, modified_at: modifiedAt } = fieldsOf(value);
  return (
    typeof name === 'string' &&
    typeof path === 'string' &&
    typeof type === 'string' &&
    typeof size === 'number' &&
    typeof permissions === 'string' &&
    typeof modifiedAt === 'string'
  );
}

/** The fields of an object; none of anything else. */
function fieldsOf(value: unknown): Partial<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
