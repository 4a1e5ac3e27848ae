import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import type { CreateWriterOptions } from '../rooted-fs/write/begin-write.ts';
import type { RootedFs } from '../rooted-fs/rooted-fs.ts';
import { RootedFsError } from '../rooted-fs/rooted-fs-error.ts';
import type { TreeEntry } from '../rooted-fs/walk/walk-tree.ts';

/** Writes a whole file. */
export async function writeFile(
  fs: RootedFs,
  path: string,
  data: string | Buffer,
  options: CreateWriterOptions = {},
): Promise<{ bytes: number; etag: string }> {
  const writer = fs.createWriter(path, options);
  try {
    const finished = once(writer.stream, 'finish');
    writer.stream.end(data);
    await finished;
    return writer.commit();
  } finally {
    await writer.abort();
  }
}

/** Appends to a file. */
export async function appendFile(fs: RootedFs, path: string, data: string): Promise<void> {
  const writer = fs.createPatch(path);
  try {
    const finished = once(writer.stream, 'finish');
    writer.stream.end(data);
    await finished;
    await writer.commit();
  } finally {
    await writer.abort();
  }
}

/** Reads a whole file. */
export async function readFile(fs: RootedFs, path: string): Promise<string> {
  const file = fs.openFile(path);
  try {
    return (await buffer(file.stream())).toString('utf8');
  } finally {
    await file.close();
  }
}

/** Entries of one directory. */
export async function list(fs: RootedFs, path: string): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  for await (const entry of fs.walk(path, { depth: 1 })) entries.push(entry);
  return entries;
}

/** What an operation answers: its result, or the kind of its RootedFsError. */
export async function answerOf(operation: () => unknown): Promise<string> {
  try {
    return String(await operation());
  } catch (error) {
    if (error instanceof RootedFsError) return error.kind;
    throw error;
  }
}
