import { cpSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A directory tree that is moved. */
export interface Tree {
  readonly name: string;
  readonly path: string;
  readonly entries: number;
}

/** Files of 1 to 8 KiB, a hundred in a directory. */
export function makeSmallFiles(workDir: string, count: number): Tree {
  const path = join(workDir, `files-${count}`);
  const block = Buffer.alloc(8192, 'the quick brown fox jumps over the lazy dog\n');
  for (let number = 0; number < count; number += 1) {
    const directory = join(path, `directory-${Math.floor(number / 100)}`);
    if (number % 100 === 0) mkdirSync(directory, { recursive: true });
    writeFileSync(
      join(directory, `file-${number}.txt`),
      block.subarray(0, 1024 * (1 + (number % 8))),
    );
  }
  return { name: `${count.toLocaleString('en')} small files`, path, entries: countEntries(path) };
}

/** The dependencies of this very project, without the links to its workspaces. */
export function copyNodeModules(workDir: string, source: string): Tree {
  const path = join(workDir, 'node_modules');
  cpSync(source, path, {
    recursive: true,
    verbatimSymlinks: true,
    preserveTimestamps: true,
    filter: (from) => !lstatSync(from).isSymbolicLink() || from.includes('/.bin/'),
  });
  return { name: 'node_modules', path, entries: countEntries(path) };
}

/** Empty files, a thousand in a directory. */
export function makeEntries(workDir: string, count: number): Tree {
  const path = join(workDir, `entries-${count}`);
  for (let number = 0; number < count; number += 1) {
    const directory = join(path, `directory-${Math.floor(number / 1000)}`);
    if (number % 1000 === 0) mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `entry-${number}`), '');
  }
  return { name: `${count.toLocaleString('en')} entries`, path, entries: countEntries(path) };
}

/** A file of that size, without holes. */
export function makeFile(workDir: string, sizeBytes: number): string {
  const path = join(workDir, `file-${sizeBytes}`);
  const block = Buffer.alloc(4 * 1024 * 1024, 'sandport benchmark data\n');
  writeFileSync(path, '');
  for (let left = sizeBytes; left > 0; left -= block.length)
    writeFileSync(path, block.subarray(0, Math.min(left, block.length)), { flag: 'a' });
  return path;
}

const countEntries = (path: string): number =>
  readdirSync(path, { recursive: true, withFileTypes: true }).length;
