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
  const numeric = /^\d+$/.test(user) ? Number(user) : undefined;
  for (const line of passwd.split('\n')) {
    const [name, , uidText, gidText] = line.split(':');
    const uid = Number(uidText);
    const gid = Number(gidText);
    if (!uidText || !gidText || !Number.isInteger(uid) || !Number.isInteger(gid)) continue;
    if (numeric === undefined ? name === user : uid === numeric) return { uid, gid };
  }
  return numeric === undefined ? undefined : { uid: numeric, gid: numeric };
}
