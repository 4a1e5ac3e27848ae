/** User and group ids inside the sandbox. */
export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Ids of a user by its name or number in the text of an /etc/passwd. A number that no line has is
 * its own id and group; a name that no line has gives undefined.
 */
export function findUser(passwd: string, user: string): UserIds | undefined {
  const numeric = idOf(user);
  const found = findLine(passwd, user);
  if (found !== undefined) return found;
  return numeric === undefined ? undefined : { uid: numeric, gid: numeric };
}

/** As {@link findUser}, of lines alone. */
export function findLine(passwd: string, user: string): UserIds | undefined {
  const numeric = idOf(user);
  for (const line of passwd.split('\n')) {
    const [name, , uidText, gidText] = line.split(':');
    const uid = Number(uidText);
    const gid = Number(gidText);
    if (!uidText || !gidText || !Number.isInteger(uid) || !Number.isInteger(gid)) continue;
    if (numeric === undefined ? name === user : uid === numeric) return { uid, gid };
  }
  return undefined;
}

/** Id of a group by its name or number in the text of an /etc/group. */
export function findGroup(groups: string, group: string): number | undefined {
  const numeric = idOf(group);
  if (numeric !== undefined) return numeric;
  for (const line of groups.split('\n')) {
    const [name, , gidText] = line.split(':');
    const gid = Number(gidText);
    if (gidText && Number.isInteger(gid) && name === group) return gid;
  }
  return undefined;
}

const idOf = (text: string): number | undefined => (/^\d+$/.test(text) ? Number(text) : undefined);
