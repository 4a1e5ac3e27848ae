import type { SandboxFiles } from '@sandport/driver';
import { readTable, tables } from './owners.ts';

/**
 * Home of a user by the sandbox's own /etc/passwd, `/` where that does not tell. The guest wrote it:
 * it need not exist.
 * @param user name or number
 */
export async function homeDirectory(files: SandboxFiles, user: string): Promise<string> {
  for (const line of (await readTable(files, tables.user)).split('\n')) {
    const [name, , id, , , home = ''] = line.split(':', 6);
    if ((name === user || id === user) && home.startsWith('/')) return home;
  }
  return '/';
}
