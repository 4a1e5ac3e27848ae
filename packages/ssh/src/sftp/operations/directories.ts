import type { SandboxFiles, WalkedEntry } from '@sandport/driver';
import { type FileEntry, type GuestPath, parseGuestPath } from '@sandport/protocol';
import type { DirectoryHandle } from '../handles/handle-table.ts';
import { encodeAttributes, readAttributes } from '../protocol/attributes.ts';
import { Status } from '../protocol/constants.ts';
import { longName } from '../protocol/long-name.ts';
import { handlePacket, nameItem, namePacket, statusPacket } from '../protocol/responses.ts';
import { done, noSuchHandle, tooManyHandles } from './answers.ts';
import { umask } from './open-files.ts';
import type { Operation } from './operation.ts';

/** Most that one answer to READDIR holds; clients ask again. */
const maxItems = 256;
const maxItemBytes = 128 * 1024;

export const opendir: Operation = async (context, id, reader) => {
  const path = context.path(reader.bytes());
  const name = await context.handles.open(async () => {
    const files = await context.reading();
    const entries = files.walk(path, { depth: 1 })[Symbol.asyncIterator]();
    // Now it shows whether it is a directory.
    const first = await entries.next();
    return { kind: 'directory', path, entries, first, hasBegun: false };
  });
  return name === undefined ? tooManyHandles(id) : handlePacket(id, name);
};

export const readdir: Operation = async (context, id, reader) => {
  const handle = context.handles.get(reader.bytes());
  if (handle?.kind !== 'directory') return noSuchHandle(id);
  const items = await nextItems(handle, await context.reading());
  if (items.length === 0) return statusPacket(id, Status.eof, 'End of the directory.');
  return namePacket(id, items);
};

async function nextItems(handle: DirectoryHandle, files: SandboxFiles): Promise<Buffer[]> {
  const items: Buffer[] = [];
  let bytes = 0;
  const add = (item: Buffer) => {
    items.push(item);
    bytes += item.length;
  };
  if (!handle.hasBegun) {
    handle.hasBegun = true;
    for (const name of ['.', '..']) {
      const entry = await files
        .stat(parseGuestPath(`${handle.path}/${name}`))
        .catch(() => undefined);
      if (entry !== undefined) add(itemOf(entry, Buffer.from(name)));
    }
  }
  while (items.length < maxItems && bytes < maxItemBytes) {
    const next: IteratorResult<WalkedEntry> = handle.first ?? (await handle.entries.next());
    // The end is kept: a client may ask again.
    handle.first = next.done === true ? next : undefined;
    if (next.done === true) break;
    add(itemOf(next.value.entry, next.value.relativeBytes));
  }
  return items;
}

const itemOf = (entry: FileEntry, name: Buffer): Buffer =>
  nameItem({ name, longName: longName(entry, name), attributes: encodeAttributes(entry) });

export const mkdir: Operation = async (context, id, reader) => {
  const path = context.path(reader.bytes());
  const { mode = 0o777 } = readAttributes(reader);
  const files = await context.writing();
  await files.makeDirectory(withoutSlash(path), { exclusive: true, mode: mode & ~umask });
  return done(id);
};

export const rmdir: Operation = async (context, id, reader) => {
  const path = context.path(reader.bytes());
  const files = await context.writing();
  const { is_dir } = await files.stat(path, { followSymlinks: false });
  if (!is_dir) return statusPacket(id, Status.failure, `${path} is not a directory.`);
  await files.remove(path);
  return done(id);
};

/** `a/` is the directory that is to be made, as `a`. */
const withoutSlash = (path: GuestPath): GuestPath =>
  parseGuestPath(path.replace(/\/+$/, '') || '/');
