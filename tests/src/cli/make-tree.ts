import { execFile } from 'node:child_process';
import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Names that programs stumble over. */
export const oddNames = [
  'with space',
  'new\nline',
  '-dash',
  '.hidden',
  'tab\t',
  'quote\'"$`\\',
  'ünïcödé-日本語-🚢',
  '*?[a]',
  'x'.repeat(255),
];

/** A small tree with all that a copy must keep. */
export async function makeTree(root: string): Promise<void> {
  await mkdir(join(root, 'sub', 'deep', 'deeper'), { recursive: true });
  await mkdir(join(root, 'empty'));
  await mkdir(join(root, 'odd'));
  await writeFile(join(root, 'plain.txt'), 'plain\n');
  await writeFile(join(root, 'zero'), '');
  await writeFile(join(root, 'run.sh'), '#!/bin/sh\necho ran\n');
  await chmod(join(root, 'run.sh'), 0o755);
  await writeFile(join(root, 'sub', 'deep', 'deeper', 'bytes.bin'), Buffer.alloc(300_000, 7));
  await chmod(join(root, 'sub', 'deep'), 0o750);
  for (const name of oddNames) await writeFile(join(root, 'odd', name), name);
  await symlink('plain.txt', join(root, 'link'));
  await symlink('sub/deep', join(root, 'link-to-directory'));
  await symlink('nowhere', join(root, 'dangling'));
  await utimes(join(root, 'plain.txt'), 1_600_000_000, 1_600_000_000.123);
}

/** One line an entry: type, permissions, contents or target; sorted by path. */
export async function describeTree(root: string, below = ''): Promise<string[]> {
  const lines: string[] = [];
  for (const name of (await readdir(join(root, below))).toSorted()) {
    const path = join(below, name);
    const full = join(root, path);
    const stats = await lstat(full);
    const bits = (stats.mode & 0o777).toString(8);
    const label = JSON.stringify(path);
    if (stats.isSymbolicLink()) lines.push(`${label} -> ${await readlink(full)}`);
    else if (stats.isDirectory()) {
      lines.push(`${label}/ ${bits}`, ...(await describeTree(root, path)));
    } else {
      const ms = Math.floor(stats.mtimeMs);
      lines.push(`${label} ${bits} ${ms} ${(await readFile(full)).toString('base64')}`);
    }
  }
  return lines;
}

/** A directory of many small files, made fast. */
export async function makeManyFiles(root: string, files: number): Promise<void> {
  await mkdir(root, { recursive: true });
  const script = `cd "$1" && seq ${files} | split -l 1 -a 6 -d - f`;
  await promisify(execFile)('bash', ['-c', script, 'bash', root]);
}
