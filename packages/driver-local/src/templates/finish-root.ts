import {
  appendFile,
  chmod,
  chown,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rm,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { TemplateRecipe } from './recipe.ts';
import { findUser } from './passwd.ts';

const hosts = '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n';

/**
 * Makes a template out of a fresh Debian root: the user and its directories, the mount points that
 * every sandbox needs, and nothing of the host's name or network. Works on a tree that only Debian
 * packages have written, never on one of a guest.
 */
export async function finishRoot(root: string, recipe: TemplateRecipe): Promise<void> {
  const inside = (path: string) => join(root, path);
  await addUser(root, recipe);
  for (const directory of ['run/sandport', 'mnt', 'tmp', 'proc', 'sys', 'dev'])
    await mkdir(inside(directory), { recursive: true });
  await chmod(inside('tmp'), 0o1777);
  await writeFile(inside('etc/hostname'), 'sandbox\n');
  await writeFile(inside('etc/hosts'), hosts);
  await rm(inside('etc/resolv.conf'), { force: true });
  await writeFile(inside('etc/resolv.conf'), '');
  await writeFile(inside('etc/machine-id'), '');
  for (const directory of ['var/log', 'var/cache/apt', 'var/cache/debconf', 'var/lib/apt/lists'])
    await empty(inside(directory));
  for (const path of recipe.remove) await rm(inside(path), { recursive: true, force: true });
  await chmod(root, 0o755);
}

async function addUser(root: string, { user, directories }: TemplateRecipe): Promise<void> {
  const passwdFile = join(root, 'etc/passwd');
  if (findUser(await readFile(passwdFile, 'utf8'), user.name) === undefined) {
    await appendFile(passwdFile, `${user.name}:x:${user.id}:${user.id}::${user.home}:/bin/bash\n`);
    await appendFile(join(root, 'etc/group'), `${user.name}:x:${user.id}:\n`);
    await appendFile(join(root, 'etc/shadow'), `${user.name}:!:19000:0:99999:7:::\n`);
    await appendFile(join(root, 'etc/gshadow'), `${user.name}:!::\n`).catch(() => {});
  }
  for (const directory of [user.home, ...directories]) {
    const path = join(root, directory);
    await mkdir(path, { recursive: true });
    await chown(path, user.id, user.id);
    await chmod(path, 0o755);
  }
  const skeleton = join(root, 'etc/skel');
  for (const name of await readdir(skeleton).catch(() => [])) {
    const target = join(root, user.home, name);
    await copyFile(join(skeleton, name), target);
    await chown(target, user.id, user.id);
  }
}

async function empty(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => []))
    await rm(join(directory, name), { recursive: true, force: true });
}
