import type {
  FileOwner,
  FileWriter,
  OpenFile,
  PatchFileOptions,
  WriteFileOptions,
  WrittenFile,
} from '@sandport/driver';
import type { OpenedFile, PendingFile, PendingPatch, RootedFs } from '@sandport/linux';
import type { GuestPath } from '@sandport/protocol';
import { FaultWritable } from './fault-writable.ts';
import { baseName, fileEntry } from './file-entry.ts';
import { about, aboutAsync } from './file-fault.ts';

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
    currentEtag: () => about(path, () => file.currentEtag()),
    readSmall: (maxBytes) => about(path, () => file.readSmall(maxBytes)),
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
  { durable = false, ...options }: WriteFileOptions,
): FileWriter {
  const pending = about(path, () => root.createWriter(path, { defaultOwner, ...options }));
  return fileWriter(pending, path, async () =>
    durable ? pending.commitDurably() : pending.commit(),
  );
}

/** Begins a change in place. */
export function patchFile(
  root: RootedFs,
  path: GuestPath,
  defaultOwner: FileOwner,
  { durable = false, ...options }: PatchFileOptions,
): FileWriter {
  const pending = about(path, () => root.createPatch(path, { defaultOwner, ...options }));
  return fileWriter(pending, path, () => pending.commit({ durable }));
}

function fileWriter(
  pending: PendingFile | PendingPatch,
  path: GuestPath,
  commit: () => Promise<WrittenFile>,
): FileWriter {
  const stream = new FaultWritable(pending.stream, path);
  // An error that comes while nobody listens is told by commit.
  stream.on('error', () => {});
  const abort = async () => {
    stream.destroy();
    await pending.abort();
  };
  return {
    stream,
    writeSmall: (contents) => about(path, () => pending.writeSmall(contents)),
    commit: () => aboutAsync(path, commit),
    abort,
    [Symbol.asyncDispose]: abort,
  };
}
