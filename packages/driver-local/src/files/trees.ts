import type {
  FileOwner,
  TreeWriter,
  TreeWriterOptions,
  WalkedEntry,
  WalkOptions,
} from '@sandport/driver';
import type { RootedFs } from '@sandport/linux';
import type { GuestPath } from '@sandport/protocol';
import { baseName, fileEntry, joinPath } from './file-entry.ts';
import { aboutAsync } from './file-fault.ts';

export async function* walkTree(
  root: RootedFs,
  path: GuestPath,
  _options: WalkOptions,
): AsyncIterable<WalkedEntry> {
  for (const { name, nameBytes, stat } of await aboutAsync(path, () => root.list(path)))
    yield {
      entry: fileEntry({ name: baseName(name), path: joinPath(path, name), nameBytes }, stat),
      relativePath: name,
      relativeBytes: nameBytes,
      mtimeNs: stat.mtimeNs,
      hardLinkKey: undefined,
      targetBytes: undefined,
      cursor: '',
      open: () => undefined,
    };
}

export async function writeTree(
  _root: RootedFs,
  _path: GuestPath,
  _owner: FileOwner,
  _options: TreeWriterOptions,
): Promise<TreeWriter> {
  throw new Error('writeTree');
}
