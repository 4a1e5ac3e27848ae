import { closeSync } from 'node:fs';
import { O_PATH, RENAME_NOREPLACE } from '../../ffi/constants.ts';
import type { ByteString } from '../../ffi/byte-string.ts';
import { withFileOwner } from '../../ffi/credential-calls.ts';
import {
  openEntry,
  readlinkat,
  renameat2,
  setModifiedTime,
  symlinkat,
} from '../../ffi/file-calls.ts';
import { copyToTemporary } from './copy-file.ts';
import { copyTree } from './copy-tree.ts';
import { statDescriptor, statEntry } from '../attributes/entry.ts';
import { type EntryPlace, findPlace, foreseePath } from '../paths/entry-place.ts';
import { setOwnerWherePossible } from '../attributes/file-attributes.ts';
import { identityOf } from '../attributes/file-stat.ts';
import { closeInBackground, closeReplaced } from '../descriptors/guarded-descriptor.ts';
import { isWithin, parsePath } from '../paths/guest-path.ts';
import type { IdMapping } from '../attributes/id-mapping.ts';
import type { Creation } from '../entries/make-directory.ts';
import type { RootDirectory } from '../paths/root-directory.ts';
import { Refusal, rootedFsErrorOf } from '../rooted-fs-error.ts';
import { discard, publishIfFree, publishOver, temporaryName } from '../write/temporary-file.ts';
import type { UnfinishedCopies } from './unfinished-copies.ts';
import { unlinkEntry } from '../remove/unlink-entry.ts';

export interface TransferOptions {
  /** Owner of new parents, and of what cannot keep its own. */
  readonly creation: Creation;
  /** Replace what is at the target. */
  readonly overwrite: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Where copies are noted while they are under way. */
  readonly unfinished: UnfinishedCopies;
}

/** What is copied: an open entry, and the path that leads to it. */
export interface CopySource {
  /** O_PATH descriptor. */
  readonly handle: number;
  readonly path: string;
}

export interface CopyOptions extends TransferOptions {
  /** Refuse what cannot be copied, instead of leaving it out. */
  readonly strict: boolean;
}

/**
 * Copies what `from` leads to; the name `to` is replaced itself, never what a symlink there leads to.
 * @throws RootedFsError about the path that is to blame; AbortError
 */
export async function copyEntry(
  root: RootDirectory,
  ids: IdMapping,
  from: string,
  to: string,
  options: TransferOptions,
): Promise<void> {
  let blamed = from;
  let handle: number | undefined;
  let target: EntryPlace | undefined;
  try {
    const opened = root.openAt(parsePath(from), O_PATH);
    handle = opened.fd;
    root.refuseHidden(opened.path);
    const { type } = statDescriptor(handle);
    if (type !== 'file' && type !== 'directory') {
      throw new Refusal('not_a_regular_file', { fileType: type });
    }
    blamed = to;
    const bytes = parsePath(to);
    if (type === 'directory') refuseWithin(foreseePath(root, bytes), opened.path);
    target = findPlace(root, bytes, { ...options.creation, mode: 0o755 });
    await copyPlace(root, ids, { handle, path: from }, target, { ...options, strict: false });
  } catch (error) {
    throw rootedFsErrorOf(error, blamed);
  } finally {
    if (target !== undefined) closeSync(target.directory);
    if (handle !== undefined) closeSync(handle);
  }
}

/**
 * Copies an entry to a place, where it appears whole. A directory only goes where nothing is, or
 * an empty directory with `strict`.
 * @throws SystemError, Refusal `exists`, `is_directory`, `not_a_regular_file`; AbortError
 */
export async function copyPlace(
  root: RootDirectory,
  ids: IdMapping,
  source: CopySource,
  target: EntryPlace,
  options: CopyOptions,
): Promise<void> {
  const entry = statDescriptor(source.handle);
  const there = statEntry(target.directory, target.name);
  const isTaken = there !== undefined;
  if (entry.type === 'directory') {
    if (isTaken && !(options.strict && options.overwrite)) {
      throw new Refusal('exists', { fileType: there.type });
    }
    await copyTree(root, ids, source, target, options);
    return;
  }
  if (there?.type === 'directory') throw new Refusal('is_directory', { fileType: there.type });
  if (isTaken && !options.overwrite) throw new Refusal('exists', { fileType: there.type });
  if (isTaken && identityOf(there) === identityOf(entry)) return;
  if (target.mustBeDirectory) throw new Refusal('not_a_directory', { errno: 'ENOTDIR' });
  if (entry.type === 'file') await copyFile(source.handle, target, options);
  else if (entry.type === 'symlink') copySymlink(source.handle, target, options);
  else throw new Refusal('not_a_regular_file', { fileType: entry.type });
}

async function copyFile(handle: number, target: EntryPlace, options: CopyOptions): Promise<void> {
  const { directory, name } = target;
  const { hostUid, hostGid } = options.creation;
  const file = await copyToTemporary(handle, directory, options);
  let replaced: number | undefined;
  try {
    replaced = openEntry(directory, name);
    withFileOwner(hostUid, hostGid, () => {
      if (publishIfFree(file, directory, name)) return;
      if (!options.overwrite) throw new Refusal('exists');
      publishOver(file, directory, name);
    });
  } finally {
    discard(file, directory);
    closeInBackground(file.fd);
    if (replaced !== undefined) closeReplaced(replaced);
  }
}

function copySymlink(handle: number, target: EntryPlace, options: CopyOptions): void {
  const { directory, name } = target;
  const { creation, overwrite } = options;
  const { mtimeNs, hostUid, hostGid } = statDescriptor(handle);
  const text = readlinkat(handle, '' as ByteString);
  const temporary = temporaryName();
  withFileOwner(creation.hostUid, creation.hostGid, () => symlinkat(text, directory, temporary));
  try {
    const copy = openEntry(directory, temporary);
    if (copy !== undefined) {
      try {
        setOwnerWherePossible(copy, hostUid, hostGid);
        setModifiedTime(copy, mtimeNs);
      } finally {
        closeSync(copy);
      }
    }
    withFileOwner(creation.hostUid, creation.hostGid, () =>
      renameat2(directory, temporary, directory, name, overwrite ? 0 : RENAME_NOREPLACE),
    );
  } catch (error) {
    unlinkEntry(directory, temporary);
    throw error;
  }
}

/** @throws Refusal `invalid_path` */
function refuseWithin(target: ByteString | undefined, source: ByteString): void {
  if (target === undefined || !isWithin(target, source)) return;
  throw new Refusal('invalid_path', { reason: 'a directory cannot be copied into itself' });
}
