import { type BigIntStats, lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, LocalFileError } from '../errors/client-errors.ts';
import { reason } from '../filesystem/write/local-source.ts';
import type { IsIgnored } from './ignore-rules.ts';
import type { SkippedEntries } from './skipped.ts';

/** An entry of a local directory tree. */
export interface LocalEntry {
  /** Relative to the root, with `/` between names. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  /** Bytes of a file; 0 of all else. */
  readonly sizeBytes: number;
  /** Text of a symlink. */
  readonly linkTarget: string | undefined;
  /** The same for all names of one file; undefined of a file with one name. */
  readonly hardLinkKey: string | undefined;
}

/** @throws LocalFileError when it is no directory */
export function checkLocalDirectory(path: string): void {
  try {
    if (statSync(path).isDirectory()) return;
  } catch (cause) {
    throw new LocalFileError(
      `The local directory ${path} cannot be read: ${reason(cause)}.`,
      path,
      cause,
    );
  }
  throw new LocalFileError(`${path} is not a directory.`, path);
}

/**
 * All entries below a local directory, parents before children, names in the order of their code
 * units. Symlinks are not followed. What vanishes meanwhile is left out; what cannot be sent (FIFOs,
 * sockets, devices, names that are not UTF-8) is put down as skipped.
 * @throws LocalFileError for a directory that cannot be read
 */
export function* walkLocal(
  root: string,
  isIgnored: IsIgnored,
  skipped: SkippedEntries,
): Generator<LocalEntry, void, undefined> {
  // A stack of its own: trees may be deeper than what nested generators bear.
  const waiting: Iterator<string>[] = [namesIn(root, '')];
  const directories = [''];
  for (let names = waiting.at(-1); names !== undefined; names = waiting.at(-1)) {
    const { done, value: name } = names.next();
    if (done === true) {
      waiting.pop();
      directories.pop();
      continue;
    }
    const parent = directories.at(-1) ?? '';
    const path = parent === '' ? name : `${parent}/${name}`;
    const entry = entryAt(root, path, isIgnored, skipped);
    if (entry === undefined) continue;
    yield entry;
    if (entry.type === 'directory') {
      waiting.push(namesIn(root, path));
      directories.push(path);
    }
  }
}

function namesIn(root: string, directory: string): Iterator<string> {
  try {
    return readdirSync(join(root, directory)).sort()[Symbol.iterator]();
  } catch (cause) {
    if (directory !== '' && errnoOf(cause) === 'ENOENT') return [][Symbol.iterator]();
    const path = join(root, directory);
    throw new LocalFileError(
      `The local directory ${path} cannot be read: ${reason(cause)}.`,
      path,
      cause,
    );
  }
}

function entryAt(
  root: string,
  path: string,
  isIgnored: IsIgnored,
  skipped: SkippedEntries,
): LocalEntry | undefined {
  if (path.includes('\uFFFD')) {
    skipped.add(path, 'its name is not UTF-8');
    return undefined;
  }
  const full = `${root}/${path}`;
  let stats: BigIntStats;
  let linkTarget: string | undefined;
  try {
    stats = lstatSync(full, { bigint: true });
    if (isIgnored(path, stats.isDirectory())) return undefined;
    if (stats.isSymbolicLink()) linkTarget = readlinkSync(full);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'EINVAL') return undefined;
    throw new LocalFileError(`The local ${full} cannot be read: ${reason(cause)}.`, full, cause);
  }
  const type = typeOf(stats);
  if (type === undefined || linkTarget?.includes('\uFFFD') === true) {
    skipped.add(
      path,
      type === undefined ? 'it is a FIFO, a socket or a device' : 'its target is not UTF-8',
    );
    return undefined;
  }
  return {
    path,
    type,
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtimeNs: stats.mtimeNs,
    sizeBytes: type === 'file' ? Number(stats.size) : 0,
    linkTarget,
    hardLinkKey: type === 'file' && stats.nlink > 1n ? `${stats.dev}:${stats.ino}` : undefined,
  };
}

function typeOf(stats: BigIntStats): LocalEntry['type'] | undefined {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : undefined;
}
