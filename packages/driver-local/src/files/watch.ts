import type { FileWatcher, WatchOptions } from '@sandport/driver';
import type { RootedFs } from '@sandport/linux';
import type { GuestPath } from '@sandport/protocol';

export async function watchDirectory(
  _root: RootedFs,
  _path: GuestPath,
  _options: WatchOptions,
): Promise<FileWatcher> {
  throw new Error('watchDirectory');
}
