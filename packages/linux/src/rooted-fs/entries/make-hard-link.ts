import { closeSync } from 'node:fs';
import { linkDescriptor, openEntry } from '../../ffi/file-calls.ts';
import { errnoOf, SystemError } from '../../ffi/system-error.ts';
import { copyUp } from '../attributes/change-attributes.ts';
import { statDescriptor } from '../attributes/entry.ts';
import { type EntryPlace, findPlace } from '../paths/entry-place.ts';
import { parsePath } from '../paths/guest-path.ts';
import type { RootDirectory } from '../paths/root-directory.ts';
import { Refusal, rootedFsErrorOf } from '../rooted-fs-error.ts';

/**
 * Gives a regular file one more name, which must be free; its directory must be there. What `from`
 * leads to is found once and linked by its descriptor: nothing that is put there meanwhile is.
 * @throws RootedFsError about the path that is to blame
 */
export async function makeHardLink(root: RootDirectory, from: string, to: string): Promise<void> {
  let blamed = from;
  let source: EntryPlace | undefined;
  let handle: number | undefined;
  let target: EntryPlace | undefined;
  try {
    source = findPlace(root, parsePath(from), undefined);
    handle = openEntry(source.directory, source.name);
    if (handle === undefined) throw new SystemError('ENOENT', 'linkat');
    const entry = statDescriptor(handle);
    if (entry.type === 'directory') throw new Refusal('is_directory', { fileType: entry.type });
    if (entry.type !== 'file') throw new Refusal('not_a_regular_file', { fileType: entry.type });
    if (source.mustBeDirectory) throw new SystemError('ENOTDIR', 'linkat');
    await copyUp(handle, entry);
    blamed = to;
    target = findPlace(root, parsePath(to), undefined);
    if (target.mustBeDirectory) throw new SystemError('ENOENT', 'linkat');
    linkDescriptor(handle, target.directory, target.name);
  } catch (error) {
    if (errnoOf(error) === 'EXDEV') throw rootedFsErrorOf(otherFileSystem(), blamed);
    throw rootedFsErrorOf(error, blamed);
  } finally {
    if (target !== undefined) closeSync(target.directory);
    if (handle !== undefined) closeSync(handle);
    if (source !== undefined) closeSync(source.directory);
  }
}

const otherFileSystem = (): Refusal =>
  new Refusal('permission_denied', {
    errno: 'EXDEV',
    reason: 'a file gets another name only on its own file system; copy it',
  });
