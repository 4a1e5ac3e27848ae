import type { FileOwner, TreeWriter, TreeWriterOptions } from '@sandport/driver';
import type { RootedFs } from '@sandport/linux';
import type { GuestPath } from '@sandport/protocol';

export async function writeTree(
  _root: RootedFs,
  _path: GuestPath,
  _owner: FileOwner,
  _options: TreeWriterOptions,
): Promise<TreeWriter> {
  throw new Error('writeTree');
}
