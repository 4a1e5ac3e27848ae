import { type ListSandboxesQuery, SandportFault } from '@sandport/protocol';
import type { SandboxRow } from '@sandport/state';

/** What `list` looks for: the query's fields, and metadata that must be equal. */
export interface SandboxFilter extends ListSandboxesQuery {
  readonly metadata?: Readonly<Record<string, string>>;
}

export const defaultPageSize = 1000;

/** Newest first; equal times by id, so that the order is total and a cursor is a place in it. */
export const newestFirst = (a: SandboxRow, b: SandboxRow): number =>
  b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1);

export const matches = (row: SandboxRow, filter: SandboxFilter): boolean =>
  (filter.template === undefined || row.template === filter.template) &&
  (filter.status === undefined || row.status === filter.status) &&
  (filter.namespace === undefined || row.namespace === filter.namespace) &&
  Object.entries(filter.metadata ?? {}).every(([key, value]) => row.metadata[key] === value);

/** One page of sorted rows, and the cursor of the next when there is one. */
export function page(
  rows: readonly SandboxRow[],
  filter: SandboxFilter,
): { rows: readonly SandboxRow[]; nextCursor?: string } {
  const limit = filter.limit ?? defaultPageSize;
  const after = filter.cursor === undefined ? undefined : decodeCursor(filter.cursor);
  const rest = after === undefined ? rows : rows.filter((row) => isBehind(row, after));
  const last = rest[limit - 1];
  return rest.length > limit && last !== undefined
    ? { rows: rest.slice(0, limit), nextCursor: encodeCursor(last) }
    : { rows: rest };
}

interface Place {
  readonly createdAtMs: number;
  readonly id: string;
}

const isBehind = (row: SandboxRow, place: Place): boolean => {
  const createdAtMs = row.createdAt.getTime();
  return (
    createdAtMs < place.createdAtMs || (createdAtMs === place.createdAtMs && row.id < place.id)
  );
};

const encodeCursor = (row: SandboxRow): string =>
  Buffer.from(`${row.createdAt.getTime()}:${row.id}`).toString('base64url');

function decodeCursor(cursor: string): Place {
  const match = /^(\d{1,16}):([0-9a-f-]{36})$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (match?.[1] === undefined || match[2] === undefined)
    throw new SandportFault('invalid_request', 'The cursor is not one that this daemon gave.', {
      field: 'cursor',
    });
  return { createdAtMs: Number(match[1]), id: match[2] };
}
