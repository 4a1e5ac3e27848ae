import { buffer } from 'node:stream/consumers';
import type { FileOwner, SandboxFiles } from '@sandport/driver';
import { maxNumericId, parseGuestPath, SandportFault } from '@sandport/protocol';

/** Most bytes of /etc/passwd and /etc/group that are looked at. */
const maxTableBytes = 1024 * 1024;

/** An owner as a client names it: ids, or names of the sandbox. */
export interface NamedOwner {
  readonly user?: number | string | undefined;
  readonly group?: number | string | undefined;
}

/**
 * Turns names into ids by the sandbox's own /etc/passwd and /etc/group; a text of digits is an id
 * where no name is.
 * @throws SandportFault `invalid_request` for a name that is not there, or when nothing is asked for
 */
export async function resolveOwner(
  files: SandboxFiles,
  { user, group }: NamedOwner,
): Promise<Partial<FileOwner>> {
  if (user === undefined && group === undefined)
    throw new SandportFault('invalid_request', 'The request has neither `user` nor `group`.', {
      field: 'user',
    });
  return {
    ...(user === undefined ? {} : { uid: await idOf(files, 'user', user) }),
    ...(group === undefined ? {} : { gid: await idOf(files, 'group', group) }),
  };
}

/** Where a sandbox has its names. */
export const tables = { user: '/etc/passwd', group: '/etc/group' } as const;

async function idOf(
  files: SandboxFiles,
  kind: keyof typeof tables,
  wanted: number | string,
): Promise<number> {
  if (typeof wanted === 'number') return wanted;
  const id =
    lookUp(await readTable(files, tables[kind]), wanted) ??
    (/^\d{1,5}$/.test(wanted) ? Number(wanted) : undefined);
  if (id !== undefined && id <= maxNumericId) return id;
  throw new SandportFault(
    'invalid_request',
    `The sandbox's ${tables[kind]} has no ${kind} "${wanted}"; name another, or send a number.`,
    { field: kind },
  );
}

/** Third field of the line that begins with the name. The guest wrote the table: any line may be odd. */
function lookUp(table: string, name: string): number | undefined {
  for (const line of table.split('\n')) {
    const [first, , id = ''] = line.split(':', 3);
    if (first === name && /^\d{1,10}$/.test(id)) return Number(id);
  }
  return undefined;
}

/** A table of names as text; empty when there is none. */
export async function readTable(files: SandboxFiles, path: string): Promise<string> {
  try {
    await using file = await files.open(parseGuestPath(path));
    const end = Math.min(file.entry.size, maxTableBytes);
    return (await buffer(file.stream({ start: 0, end }))).toString();
  } catch (error) {
    // Without a table there are no names.
    if (error instanceof SandportFault && error.code !== 'internal') return '';
    throw error;
  }
}
