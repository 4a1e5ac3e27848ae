import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Nothing that people keep comes near it. */
const maxBytes = 16 * 2 ** 20;

/** How long another program may hold the lock, in milliseconds. */
const lockPatienceMs = 3_000;

/** The kubeconfig that kubectl writes to: the first of KUBECONFIG, else the user's own. */
export const usersKubeconfig = (env: NodeJS.ProcessEnv): string =>
  env['KUBECONFIG']?.split(delimiter).find((each) => each !== '') ??
  join(env['HOME'] || homedir(), '.kube', 'config');

interface Held {
  readonly text: string;
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * Changes a file that holds keys: whole or not at all, readable by its owner only, and not while
 * kubectl changes it. A link is followed; its target keeps its owner.
 * @param change from the text, which is empty when there is no such file
 */
export async function changeKubeconfig(
  file: string,
  change: (text: string) => string,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const target = await realpath(file).catch(() => file);
  const lockFile = await lock(target);
  try {
    await replace(target, change);
  } finally {
    await rm(lockFile, { force: true });
  }
}

async function replace(target: string, change: (text: string) => string): Promise<void> {
  const held = await read(target);
  const text = change(held.text);
  const temporary = join(
    dirname(target),
    `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`,
  );
  try {
    {
      await using handle = await open(temporary, 'wx', 0o600);
      if (held.owner !== undefined && process.getuid?.() === 0)
        await handle.chown(held.owner.uid, held.owner.gid);
      await handle.writeFile(text);
      await handle.sync();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function read(file: string): Promise<Held> {
  try {
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await handle.stat();
    if (!stat.isFile()) throw new Error(`${file} is not a file.`);
    if (stat.size > maxBytes) throw new Error(`${file} is too large for a kubeconfig.`);
    return { text: await handle.readFile('utf8'), owner: { uid: stat.uid, gid: stat.gid } };
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return { text: '', owner: undefined };
    throw error;
  }
}

/** The lock of kubectl and client-go: a file beside it, made by whoever holds it. */
async function lock(file: string): Promise<string> {
  const name = `${file}.lock`;
  for (const startedAt = performance.now(); ; await sleep(50)) {
    try {
      await (await open(name, 'wx', 0o600)).close();
      return name;
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
      if (performance.now() - startedAt > lockPatienceMs)
        throw new Error(
          `Another program changes ${file}, or was killed while it did: remove ${name} when none does.`,
          { cause: error },
        );
    }
  }
}

const isErrno = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
