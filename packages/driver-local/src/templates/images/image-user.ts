import { findGroup, findLine, findUser } from '../passwd.ts';
import { InvalidImage } from './invalid-image.ts';

export interface ImageUser {
  /** Name or number for commands. */
  readonly user: string;
  /** Lines that passwd must get, so that the name or number has the right ids. */
  readonly passwdLines: readonly string[];
}

const maxId = 65_535;

/**
 * What the user of an image's configuration, as `name`, `uid`, `name:group` or `uid:gid`, is in the
 * words of sandboxes, which know users by a name of passwd or a number. A number without a line in
 * passwd belongs to the group 0, as in other systems that run images.
 * @throws InvalidImage when passwd and group do not have it
 */
export function imageUser(text: string, passwd: string, groups: string): ImageUser {
  const [name = '', group] = text === '' ? ['0'] : text.split(':');
  const wanted = name === '' ? '0' : name;
  const known = findLine(passwd, wanted);
  const ids = known ?? findUser(passwd, wanted);
  if (ids === undefined) throw new InvalidImage(`its user "${wanted}" is not in /etc/passwd`);
  const gid = group === undefined || group === '' ? (known?.gid ?? 0) : findGroup(groups, group);
  if (gid === undefined) throw new InvalidImage(`its group "${group}" is not in /etc/group`);
  if (ids.uid > maxId || gid > maxId)
    throw new InvalidImage(`its user ${text} is above ${maxId}, the highest id in a sandbox`);
  if (known?.gid === gid) {
    const usable = /^[A-Za-z_][A-Za-z0-9._-]{0,31}$/.test(wanted) || known.uid === Number(wanted);
    return { user: usable ? wanted : String(known.uid), passwdLines: [] };
  }
  const alias = `user-${ids.uid}-${gid}`;
  const line = `${alias}:x:${ids.uid}:${gid}::/:/bin/sh`;
  const isFirst = findLine(passwd, String(ids.uid)) === undefined;
  return { user: isFirst ? String(ids.uid) : alias, passwdLines: [line] };
}
