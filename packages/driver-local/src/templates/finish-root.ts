import { chmodSync } from 'node:fs';
import { RootedFs } from '@sandport/linux';
import { findGroup, findUser } from './passwd.ts';
import {
  makeEmptyDirectory,
  makeRealDirectory,
  readText,
  removeAny,
  replaceFile,
  typeOf,
  writeText,
} from './root-files.ts';

const hosts = '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n';
const rootLine = 'root:x:0:0:root:/root:/bin/sh\n';

export interface FinishRootOptions {
  /** Made when passwd has no such name; the next free id is taken when another has the id. */
  readonly user: { readonly name: string; readonly id: number; readonly home: string };
  /** Owned by the user, beside its home. */
  readonly directories: readonly string[];
  /** Directory of commands; made when it is missing. */
  readonly workdir: string;
  /** Lines that passwd gets as well. */
  readonly passwdLines?: readonly string[];
  /** Absolute paths of directories that are emptied. */
  readonly empty?: readonly string[];
  /** Absolute paths that are removed. */
  readonly remove?: readonly string[];
}

/**
 * Makes a template out of a root file system: a user and its directories, the mount points that
 * every sandbox needs, and nothing of the host's name or network. The root may be one that a
 * hostile image has made: every path is resolved inside it.
 */
export async function finishRoot(rootPath: string, options: FinishRootOptions): Promise<void> {
  using root = RootedFs.open(rootPath, { hiddenAreas: [] });
  chmodSync(rootPath, 0o755);
  for (const path of ['/etc', '/run', '/mnt']) await makeRealDirectory(root, path, 0o755);
  for (const path of ['/run/sandport', '/proc', '/sys', '/dev'])
    await makeEmptyDirectory(root, path, 0o755);
  await makeRealDirectory(root, '/tmp', 0o1777);
  await root.chmod('/tmp', 0o1777);
  await addUsers(root, options);
  await replaceFile(root, '/etc/hostname', 'sandbox\n');
  await replaceFile(root, '/etc/hosts', hosts);
  await replaceFile(root, '/etc/resolv.conf', '');
  await replaceFile(root, '/etc/machine-id', '');
  for (const path of options.empty ?? [])
    if (typeOf(root, path) === 'directory') await makeEmptyDirectory(root, path, 0o755);
  for (const path of options.remove ?? []) await removeAny(root, path);
  root.makeDirectory(options.workdir);
}

async function addUsers(root: RootedFs, options: FinishRootOptions): Promise<void> {
  const { user, directories, passwdLines = [] } = options;
  const before = readText(root, '/etc/passwd');
  const passwd = [lines(before ?? rootLine), ...passwdLines.map((line) => `${line}\n`)].join('');
  const groups = readText(root, '/etc/group') ?? 'root:x:0:\n';
  const known = findUser(passwd, user.name);
  const { uid, gid } = known ?? nextFree(user.id, passwd, groups);
  if (known === undefined) {
    const line = `${user.name}:x:${uid}:${gid}::${user.home}:${shellOf(root)}\n`;
    await put(root, '/etc/passwd', passwd + line, before !== undefined, 0o644);
    if (findGroup(groups, user.name) === undefined)
      await put(root, '/etc/group', `${lines(groups)}${user.name}:x:${gid}:\n`, true, 0o644);
    await addLocked(root, '/etc/shadow', `${user.name}:!:19000:0:99999:7:::\n`);
    await addLocked(root, '/etc/gshadow', `${user.name}:!::\n`);
  } else if (passwd !== before) {
    await put(root, '/etc/passwd', passwd, before !== undefined, 0o644);
  }
  const owner = { uid, gid };
  for (const path of [user.home, ...directories]) {
    const isNew = typeOf(root, path) === undefined;
    await makeRealDirectory(root, path, 0o755);
    await root.chown(path, owner);
    await root.chmod(path, 0o755);
    if (isNew && path === user.home) await copySkeleton(root, path, owner);
  }
}

/** Adds a user without a password to a file that nobody else may read; made when it is missing. */
async function addLocked(root: RootedFs, path: string, line: string): Promise<void> {
  const before = readText(root, path);
  await put(root, path, `${lines(before ?? '')}${line}`, before !== undefined, 0o640);
}

/** A file that is no plain file of the root is replaced; another keeps its mode and owner. */
async function put(
  root: RootedFs,
  path: string,
  text: string,
  isThere: boolean,
  mode?: number,
): Promise<void> {
  if (isThere && typeOf(root, path) === 'file') await writeText(root, path, text);
  else await replaceFile(root, path, text, mode);
}

async function copySkeleton(
  root: RootedFs,
  home: string,
  owner: { uid: number; gid: number },
): Promise<void> {
  if (typeOf(root, '/etc/skel') !== 'directory') return;
  for await (const entry of root.walk('/etc/skel', { depth: 1 }))
    if (entry.stat.type === 'file')
      await root.copy(`/etc/skel/${entry.name}`, `${home}/${entry.name}`, { overwrite: true });
  await root.chown(home, owner, { recursive: true });
}

function nextFree(from: number, passwd: string, groups: string): { uid: number; gid: number } {
  const taken = new Set(
    [...passwd.split('\n'), ...groups.split('\n')].map((line) => Number(line.split(':')[2])),
  );
  let id = from;
  while (taken.has(id)) id += 1;
  return { uid: id, gid: id };
}

const shellOf = (root: RootedFs): string =>
  typeOf(root, '/bin/bash') === undefined ? '/bin/sh' : '/bin/bash';

/** With a newline at the end. */
const lines = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);
