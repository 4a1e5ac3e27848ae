import { randomBytes } from 'node:crypto';
import { mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Where this program keeps its key and what it knows of daemons; of this user alone. */
export async function sshDirectory(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const base = environment['XDG_CONFIG_HOME'];
  // The XDG rules say that a relative path is to be ignored.
  const config = base?.startsWith('/') ? base : join(environment['HOME'] ?? homedir(), '.config');
  const directory = join(config, 'sandport', 'ssh');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return directory;
}

/** Empty when there is no such file. */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

/** Writes a file whole or not at all, for its owner only; a symlink there stays one. */
export async function writeText(file: string, text: string): Promise<void> {
  const target = await realpath(file).catch(() => file);
  const temporary = `${target}.${randomBytes(4).toString('hex')}.tmp`;
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  try {
    await writeFile(temporary, text, { mode: 0o600, flag: 'wx' });
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
