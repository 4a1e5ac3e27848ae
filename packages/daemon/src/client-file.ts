import { randomBytes } from 'node:crypto';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';

/** What a client on this machine needs: `client.json`. */
export interface ClientFile {
  readonly url: string;
  readonly api_key: string;
}

const schema = z.object({ url: z.string(), api_key: z.string() });

/** Undefined when there is none, or it is not whole. */
export async function readClientFile(file: string): Promise<ClientFile | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Writes it whole or not at all, readable by its owner only. */
export async function writeClientFile(
  file: string,
  content: ClientFile,
  owner?: { uid: number; gid: number },
): Promise<void> {
  const temporary = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, `${JSON.stringify(content, null, 2)}\n`, {
      mode: 0o600,
      flag: 'wx',
    });
    if (owner !== undefined) await chown(temporary, owner.uid, owner.gid);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Whose configuration gets the key: the user who called sudo, else the one who runs the daemon. */
export async function writeUserClientFile(
  content: ClientFile,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const { home, owner } = await invokingUser(environment);
  const base = (owner === undefined && environment['XDG_CONFIG_HOME']) || join(home, '.config');
  const directory = join(base, 'sandport');
  const made = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (owner !== undefined && made !== undefined) {
    for (
      let each = directory;
      each.startsWith(dirname(made)) && each !== dirname(made);
      each = dirname(each)
    )
      await chown(each, owner.uid, owner.gid);
  }
  await writeClientFile(join(directory, 'client.json'), content, owner);
}

async function invokingUser(
  environment: NodeJS.ProcessEnv,
): Promise<{ home: string; owner?: { uid: number; gid: number } }> {
  const uid = Number(environment['SUDO_UID'] ?? Number.NaN);
  if (!Number.isInteger(uid) || uid === 0) return { home: homedir() };
  const passwd = await readFile('/etc/passwd', 'utf8');
  for (const line of passwd.split('\n')) {
    const [, , lineUid, gid, , home] = line.split(':');
    if (Number(lineUid) === uid && home) return { home, owner: { uid, gid: Number(gid) } };
  }
  return { home: homedir() };
}
