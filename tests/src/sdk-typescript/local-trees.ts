import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Relative paths of all entries below a local directory, parents before children, sorted. */
export function allBelow(root: string, directory = ''): string[] {
  return readdirSync(join(root, directory))
    .toSorted()
    .flatMap((name) => {
      const path = join(directory, name);
      const isDirectory = lstatSync(join(root, path)).isDirectory();
      return [path, ...(isDirectory ? allBelow(root, path) : [])];
    });
}

export interface TreeLine {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  /** Milliseconds; not of symlinks. */
  readonly mtimeMs: number;
  /** Contents in latin1, or the text of a link. */
  readonly contents: string;
}

/** All that a transfer is to keep of a local tree. */
export const describeTree = (root: string): TreeLine[] =>
  allBelow(root).map((path) => {
    const stats = lstatSync(join(root, path), { bigint: true });
    const type = stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'symlink';
    const mtimeMs = type === 'symlink' ? 0 : Number(stats.mtimeNs / 1_000_000n);
    const mode = type === 'symlink' ? 0 : Number(stats.mode) & 0o7777;
    return { path, type, mode, mtimeMs, contents: contentsOf(join(root, path), type) };
  });

function contentsOf(path: string, type: TreeLine['type']): string {
  if (type === 'directory') return '';
  return type === 'symlink' ? readlinkSync(path) : readFileSync(path, 'latin1');
}
