import { readFileSync } from 'node:fs';

/** Users of this machine who may connect, by their numbers. */
export type AllowedUsers = ReadonlySet<number>;

/**
 * Root, the user of this process, who called sudo to start it, and those that are named.
 * @param named names of /etc/passwd, or numbers
 * @throws Error with a sentence for people
 */
export function allowedUsers(
  named: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): AllowedUsers {
  const { SUDO_UID: sudoUser } = environment;
  const users = new Set([0, process.getuid?.() ?? 0]);
  if (sudoUser !== undefined && /^\d{1,10}$/.test(sudoUser)) users.add(Number(sudoUser));
  for (const name of named) users.add(/^\d{1,10}$/.test(name) ? Number(name) : numberOf(name));
  return users;
}

function numberOf(name: string): number {
  const rows = readFileSync('/etc/passwd', 'utf8').split('\n');
  const row = rows.map((line) => line.split(':')).find(([user]) => user === name);
  if (row === undefined)
    throw new Error(`/etc/passwd has no user ${name}; name one that it has, or a number.`);
  return Number(row[2]);
}
