import { closeSync } from 'node:fs';
import { RENAME_NOREPLACE } from '../../ffi/constants.ts';
import { withFileOwner } from '../../ffi/credential-calls.ts';
import { openEntry, renameat2 } from '../../ffi/file-calls.ts';
import { SystemError, errnoOf } from '../../ffi/system-error.ts';
import { copyUp } from '../attributes/change-attributes.ts';
import { type TransferOptions, copyPlace } from '../copy/copy-entry.ts';
import { statDescriptor, statEntry } from '../attributes/entry.ts';
import { type EntryPlace, findPlace, foreseePath } from '../paths/entry-place.ts';
import { type RawStat, identityOf } from '../attributes/file-stat.ts';
import { closeReplaced } from '../descriptors/guarded-descriptor.ts';
import { isWithin, parsePath } from '../paths/guest-path.ts';
import type { IdMapping } from '../attributes/id-mapping.ts';
import { refuseMounts } from '../remove/remove-path.ts';
import { removeEntry } from '../remove/remove-tree.ts';
import type { RootDirectory } from '../paths/root-directory.ts';
import { Refusal, rootedFsErrorOf } from '../rooted-fs-error.ts';
import { unlinkEntry } from '../remove/unlink-entry.ts';

/**
 * Renames a file, a directory or a symlink itself; what the kernel cannot rename (to another mount,
 * or a directory of the template) is copied and then removed.
 * @throws RootedFsError about the path that is to blame; AbortError
 */
export async function moveEntry(
  root: RootDirectory,
  ids: IdMapping,
  from: string,
  to: string,
  options: TransferOptions,
): Promise<void> {
  let blamed = from;
  let source: EntryPlace | undefined;
  let handle: number | undefined;
  let target: EntryPlace | undefined;
  try {
    source = findPlace(root, parsePath(from), undefined);
    handle = openEntry(source.directory, source.name);
    if (handle === undefined) throw new SystemError('ENOENT', 'renameat2');
    const entry = statDescriptor(handle);
    const isDirectory = entry.type === 'directory';
    if (source.mustBeDirectory && !isDirectory) throw new SystemError('ENOTDIR', 'renameat2');
    if (isDirectory && root.hiddenAreasBelow(source.path).length > 0) throw busy();
    await copyUp(handle, entry);
    blamed = to;
    const foreseen = foreseePath(root, parsePath(to));
    if (isDirectory && foreseen !== undefined && foreseen !== source.path) {
      if (isWithin(foreseen, source.path)) throw intoItself();
    }
    target = findPlace(root, parsePath(to), { ...options.creation, mode: 0o755 });
    if (target.mustBeDirectory && !isDirectory) throw new SystemError('ENOTDIR', 'renameat2');
    if (rename(source, target, entry, options) === 'done') return;
    blamed = from;
    await refuseMounts(root, source.path);
    blamed = to;
    await copyPlace(root, ids, { handle, path: from }, target, { ...options, strict: true });
    blamed = from;
    await removeSource(source, entry);
  } catch (error) {
    throw rootedFsErrorOf(error, blamed);
  } finally {
    if (target !== undefined) closeSync(target.directory);
    if (handle !== undefined) closeSync(handle);
    if (source !== undefined) closeSync(source.directory);
  }
}

/** `elsewhere`: the kernel cannot rename it. @throws SystemError, Refusal */
function rename(
  source: EntryPlace,
  target: EntryPlace,
  entry: RawStat,
  { overwrite, creation }: TransferOptions,
): 'done' | 'elsewhere' {
  const replaced = openEntry(target.directory, target.name);
  try {
    if (replaced !== undefined) {
      const old = statDescriptor(replaced);
      if (!overwrite) throw new Refusal('exists', { fileType: old.type });
      if (old.type === 'directory' && entry.type !== 'directory') {
        throw new Refusal('is_directory', { fileType: old.type });
      }
      if (identityOf(old) === identityOf(entry)) {
        // The kernel would leave both names of a file; one name has nowhere to go.
        if (source.path !== target.path && entry.nlink > 1 && entry.type !== 'directory') {
          unlinkEntry(source.directory, source.name);
        }
        return 'done';
      }
    }
    withFileOwner(creation.hostUid, creation.hostGid, () =>
      renameat2(
        source.directory,
        source.name,
        target.directory,
        target.name,
        overwrite ? 0 : RENAME_NOREPLACE,
      ),
    );
    return 'done';
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EXDEV') return 'elsewhere';
    if (errno === 'EINVAL') throw intoItself();
    throw error;
  } finally {
    if (replaced !== undefined) closeReplaced(replaced);
  }
}

/** Removes what was copied, unless something else has its name by now. */
async function removeSource({ directory, name }: EntryPlace, copied: RawStat): Promise<void> {
  const entry = statEntry(directory, name);
  if (entry === undefined) return;
  if (identityOf(entry) !== identityOf(copied)) throw busy();
  await removeEntry(directory, name);
}

const busy = (): Refusal => new Refusal('busy', { errno: 'EBUSY' });

const intoItself = (): Refusal =>
  new Refusal('invalid_path', {
    errno: 'EINVAL',
    reason: 'a directory cannot be moved into itself',
  });
