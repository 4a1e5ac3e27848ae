import type {
  FileOwner,
  FileWriter,
  OpenFile,
  PatchFileOptions,
  WriteFileOptions,
} from '@sandport/driver';
import type { OpenedFile, RootedFs } from '@sandport/linux';
import type { GuestPath } from '@sandport/protocol';
import { FaultWritable } from './fault-writable.ts';
import { baseName, fileEntry } from './file-entry.ts';
import { about } from './file-fault.ts';

/** Opens a regular file for reading. */
export function openForReading(root: RootedFs, path: GuestPath): OpenFile {
  return openFileAt(
    path,
    about(path, () => root.openFile(path)),
  );
}

/** An open file as the port has it. @param path absolute path that it was reached by */
export function openFileAt(path: string, file: OpenedFile): OpenFile {
  return {
    entry: fileEntry({ name: baseName(path), path }, file.stat),
    etag: file.etag,
    currentEtag: () => file.etag,
    stream: (range) => file.stream(range),
    close: () => file.close(),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** Begins an atomic write. */
export function writeFile(
  root: RootedFs,
  path: GuestPath,
  defaultOwner: FileOwner,
  options: WriteFileOptions,
): FileWriter {
  const owner = { ...defaultOwner, ...options.owner };
  const { createParents = true, mode = 0o644 } = options;
  const pending = about(path, () => root.createWriter(path, { createParents, mode, owner }));
  const stream = new FaultWritable(pending.stream, path);
  // An error that comes while nobody listens is told by commit.
  stream.on('error', () => {});
  const abort = async () => {
    stream.destroy();
    await pending.abort();
  };
  return {
    stream,
    commit: async () => {
      const written = about(path, () => pending.commit());
      return { ...written, size: written.bytes };
    },
    abort,
    [Symbol.asyncDispose]: abort,
  };
}

/** Begins a change in place. */
export function patchFile(
  _root: RootedFs,
  _path: GuestPath,
  _defaultOwner: FileOwner,
  _options: PatchFileOptions,
): FileWriter {
  throw new Error('patchFile');
}
