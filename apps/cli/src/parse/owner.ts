import { UsageError } from '../usage-error.ts';

/** An owner, a group, or both; each a number, or a name that the sandbox knows. */
export interface Owner {
  readonly user?: number | string;
  readonly group?: number | string;
}

/** `USER`, `USER:GROUP` or `:GROUP`. */
export function parseOwner(text: string): Owner {
  const match = /^([^:\s]*)(?::([^:\s]+))?$/.exec(text);
  const [, user = '', group] = match ?? [];
  if (user === '' && group === undefined) {
    throw new UsageError(`${text || 'The owner'} is no owner: write USER, USER:GROUP or :GROUP.`);
  }
  return {
    ...(user !== '' && { user: idOrName(user) }),
    ...(group !== undefined && { group: idOrName(group) }),
  };
}

const idOrName = (text: string) => (/^\d{1,10}$/.test(text) ? Number(text) : text);
