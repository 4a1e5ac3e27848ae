import type { FileWatcher, WatchEvent, WatchOptions } from '@sandport/driver';
import type { DirectoryEvent, DirectoryWatcher, RootedFs } from '@sandport/linux';
import type { GuestPath } from '@sandport/protocol';
import { fileType, joinPath } from './file-entry.ts';
import { aboutAsync } from './file-fault.ts';

/** Tells what happens in a directory from now on, with paths below `path` as it was given. */
export async function watchDirectory(
  root: RootedFs,
  path: GuestPath,
  options: WatchOptions,
): Promise<FileWatcher> {
  const watcher = await aboutAsync(path, () => root.watch(path, options));
  const directory = path.replace(/\/+$/, '') || '/';
  return {
    [Symbol.asyncIterator]: () => watchEvents(watcher, directory),
    close: () => watcher.close(),
    [Symbol.dispose]: () => watcher.close(),
  };
}

async function* watchEvents(
  watcher: DirectoryWatcher,
  directory: string,
): AsyncGenerator<WatchEvent> {
  for await (const event of watcher) yield watchEvent(event, directory);
}

function watchEvent(event: DirectoryEvent, directory: string): WatchEvent {
  if (event.kind === 'resync' || event.kind === 'end') return event;
  const path = joinPath(directory, event.path);
  const type = event.type === undefined ? {} : { type: fileType(event.type) };
  return event.kind === 'renamed'
    ? { kind: event.kind, path, from: joinPath(directory, event.from), ...type }
    : { kind: event.kind, path, ...type };
}
