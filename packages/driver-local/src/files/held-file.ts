import type { FileOwner, HeldFile, HoldFileOptions } from '@sandport/driver';
import type { RootedFs } from '@sandport/linux';
import type { GuestPath } from '@sandport/protocol';
import { baseName, fileEntry } from './file-entry.ts';
import { about, aboutAsync } from './file-fault.ts';

/** Opens a file to be read and written in place. */
export async function holdFile(
  root: RootedFs,
  path: GuestPath,
  owner: FileOwner,
  options: HoldFileOptions,
): Promise<HeldFile> {
  const file = await aboutAsync(path, () => root.holdFile(path, { owner, ...options }));
  const name = { name: baseName(path), path };
  return {
    read: (into, position) => aboutAsync(path, () => file.read(into, position)),
    write: (bytes, position) => aboutAsync(path, () => file.write(bytes, position)),
    stat: () => about(path, () => fileEntry(name, file.stat())),
    change: (change) => aboutAsync(path, () => file.change(change)),
    sync: () => aboutAsync(path, () => file.sync()),
    close: () => file.close(),
    [Symbol.asyncDispose]: () => file.close(),
  };
}
