import { closeSync, fchmodSync } from 'node:fs';
import type { ByteString } from '../../ffi/byte-string.ts';
import {
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  RENAME_NOREPLACE,
} from '../../ffi/constants.ts';
import { withFileOwner } from '../../ffi/credential-calls.ts';
import { mkdirat, openat, renameat2, setModifiedTime } from '../../ffi/file-calls.ts';
import { SMALL_COPY_BYTES } from './copy-bytes.ts';
import type { CopyOptions, CopySource } from './copy-entry.ts';
import { copyContents } from './copy-file.ts';
import { statDescriptor } from '../attributes/entry.ts';
import type { EntryPlace } from '../paths/entry-place.ts';
import { setOwnerWherePossible } from '../attributes/file-attributes.ts';
import { identityOf } from '../attributes/file-stat.ts';
import { splitPath } from '../paths/guest-path.ts';
import type { IdMapping } from '../attributes/id-mapping.ts';
import { removeEntry } from '../remove/remove-tree.ts';
import { type RootDirectory, joinPath } from '../paths/root-directory.ts';
import { Refusal, RootedFsError } from '../rooted-fs-error.ts';
import { temporaryName } from '../write/temporary-file.ts';
import { type TreeAttributes, TreeWriter } from '../trees/tree-writer.ts';
import { type TreeEntry, walkTree } from '../walk/walk-tree.ts';

/**
 * Files with several names that are remembered, and bytes of those names; of more, some become files
 * of their own. A test sets less.
 */
export const linkMemory = { files: 500_000, nameBytes: 32 * 1024 * 1024 };

/**
 * Copies a directory with all below it to a name of its own beside the target, and renames that: it
 * appears whole, or not at all. Modes, owners, times, symlinks and hard links are kept.
 * @throws SystemError, RootedFsError, Refusal `exists`, `busy` when somebody meddles with the copy;
 * AbortError
 */
export async function copyTree(
  root: RootDirectory,
  ids: IdMapping,
  source: CopySource,
  target: EntryPlace,
  options: CopyOptions,
): Promise<void> {
  const { hostUid, hostGid } = options.creation;
  const { directory, name } = target;
  const temporary = temporaryName();
  const asOwner = <Result>(action: () => Result): Result => withFileOwner(hostUid, hostGid, action);
  const path = joinPath(splitPath(target.path).parent, [temporary]);
  const note = options.unfinished.note(path);
  try {
    asOwner(() => mkdirat(directory, temporary, 0o700));
    const fd = openat(directory, temporary, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    const top = { directory: { fd, path }, isNew: true };
    using writer = new TreeWriter(root, ids, top, { hostUid, hostGid, mode: 0o700 });
    await copyEntries(root, ids, source.path, writer, fd, options);
    await writer.finish();
    dressTop(fd, source.handle);
    const flags = options.strict && options.overwrite ? 0 : RENAME_NOREPLACE;
    asOwner(() => renameat2(directory, temporary, directory, name, flags));
  } catch (error) {
    await removeQuietly(directory, temporary);
    throw aboutTheCopy(error);
  } finally {
    note[Symbol.dispose]();
  }
}

/** Errors about an entry become errors about the whole; one that is in the way is the guest's doing. */
function aboutTheCopy(error: unknown): unknown {
  if (!(error instanceof RootedFsError)) return error;
  const { kind, errno, fileType, reason } = error;
  if (kind === 'unsafe' || kind === 'exists') return new Refusal('busy', { errno: 'EBUSY' });
  return new Refusal(kind, { errno, fileType, ...(reason === undefined ? {} : { reason }) });
}

async function copyEntries(
  root: RootDirectory,
  ids: IdMapping,
  path: string,
  writer: TreeWriter,
  copy: number,
  { strict, signal }: CopyOptions,
): Promise<void> {
  const itself = identityOf(statDescriptor(copy));
  const isItself = (entry: TreeEntry): boolean => entry.identity === itself;
  const enter = (entry: TreeEntry): boolean => !isItself(entry);
  const linked = new Map<string, Buffer>();
  let linkedBytes = 0;
  const walked = walkTree(root, path, ids, { enter, ...(signal === undefined ? {} : { signal }) });
  for await (const entry of walked) {
    const { stat, relativeBytes: name } = entry;
    const attributes = attributesOf(entry);
    if (stat.type === 'directory') {
      if (!isItself(entry)) writer.directory(name, attributes);
    } else if (stat.type === 'symlink') {
      const { targetBytes } = entry;
      if (targetBytes !== undefined) writer.symlink(name, attributes, targetBytes);
    } else if (stat.type === 'file') {
      const first = stat.nlink > 1 ? linked.get(entry.identity) : undefined;
      if (first !== undefined) {
        writer.hardLink(name, first);
        continue;
      }
      const isCopied = await copyFile(entry, writer, signal);
      const hasRoom =
        linked.size < linkMemory.files && linkedBytes + name.length <= linkMemory.nameBytes;
      if (!isCopied || stat.nlink < 2 || !hasRoom) continue;
      linked.set(entry.identity, name);
      linkedBytes += name.length;
    } else if (strict) {
      throw new Refusal('not_a_regular_file', { fileType: stat.type });
    }
  }
}

const attributesOf = ({ stat }: TreeEntry): TreeAttributes => ({
  mode: stat.mode,
  owner: { uid: stat.uid, gid: stat.gid },
  mtimeNs: stat.mtimeNs,
  mayBeLinked: stat.nlink > 1,
});

/** False when the file is gone by now. */
async function copyFile(
  entry: TreeEntry,
  writer: TreeWriter,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const file = entry.openFile();
  if (file === undefined) return false;
  try {
    const { size } = file.stat;
    const attributes = attributesOf(entry);
    const contents = file.readSmall(SMALL_COPY_BYTES);
    if (contents !== undefined) writer.file(entry.relativeBytes, attributes, contents);
    else {
      const pending = writer.beginFile(entry.relativeBytes, attributes);
      try {
        await pending.fill((fd) => copyContents(file.fd, fd, size, signal));
        pending.commit();
      } finally {
        await pending.abort();
      }
    }
    return true;
  } finally {
    await file.close();
  }
}

/** Gives the copy owner, mode and time of the directory that was copied. */
function dressTop(copy: number, source: number): void {
  const { hostUid, hostGid, mode, mtimeNs } = statDescriptor(source);
  setOwnerWherePossible(copy, hostUid, hostGid);
  const fd = openat(copy, '.' as ByteString, O_RDONLY | O_DIRECTORY);
  try {
    fchmodSync(fd, mode);
    setModifiedTime(fd, mtimeNs);
  } finally {
    closeSync(fd);
  }
}

/** What is left of a copy that failed. */
async function removeQuietly(directory: number, name: ByteString): Promise<void> {
  try {
    await removeEntry(directory, name);
  } catch {
    // The guest meddled with it: what it made of it is its own.
  }
}
