import { Buffer } from 'node:buffer';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { errnoOf, LocalFileError } from '../errors/client-errors.ts';
import { reason } from '../filesystem/write/local-source.ts';
import type { LocalEntry } from './local-tree.ts';
import {
  blockBytes,
  maxHeaderBytes,
  padBlock,
  type TarEntryHeader,
  writeTarHeader,
} from './tar-header.ts';

export interface PackOptions {
  /** @default false: owner 0 */
  readonly keepOwner?: boolean | undefined;
  /** Called with each entry once it is packed. */
  readonly onEntry?: ((entry: LocalEntry, isHardLink: boolean) => void) | undefined;
  /** Called with bytes of large files as they pass. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

const chunkBytes = 1024 * 1024;
/** Up to here a file is read with one call, into the place where it is sent from. */
const smallBytes = chunkBytes / 2;
/** A FIFO that takes the place of a file must not make the open wait. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Packs local entries as a tar archive, in chunks of up to 1 MiB. Small files are read in place, by
 * a handful of system calls each; files of more names are packed once.
 * @throws LocalFileError for a file that cannot be read or changes its length meanwhile
 */
export async function* packTree(
  root: string,
  entries: Iterable<LocalEntry>,
  options: PackOptions = {},
): AsyncGenerator<Buffer, void, undefined> {
  const firstNames = new Map<string, string>();
  let chunk = Buffer.allocUnsafeSlow(chunkBytes);
  let at = 0;
  for (const entry of entries) {
    const earlier = earlierName(entry, firstNames);
    const header = headerOf(entry, earlier, options);
    const isSmall = header.sizeBytes <= smallBytes;
    const room = maxHeaderBytes(header) + (isSmall ? header.sizeBytes + 2 * blockBytes : 0);
    if (at + room > chunk.length) {
      yield chunk.subarray(0, at);
      chunk = Buffer.allocUnsafeSlow(Math.max(chunkBytes, room));
      at = 0;
    }
    at = writeTarHeader(chunk, at, header);
    if (header.type === 'file' && isSmall) {
      at = readSmall(`${root}/${entry.path}`, chunk, at, header.sizeBytes);
    } else if (header.type === 'file') {
      yield chunk.subarray(0, at);
      yield* readLarge(`${root}/${entry.path}`, header.sizeBytes, options);
      chunk = Buffer.allocUnsafeSlow(chunkBytes);
      at = padBlock(chunk, 0, -(header.sizeBytes % blockBytes));
    }
    options.onEntry?.(entry, earlier !== undefined);
  }
  if (at > 0) yield chunk.subarray(0, at);
  yield Buffer.alloc(2 * blockBytes);
}

function earlierName(entry: LocalEntry, firstNames: Map<string, string>): string | undefined {
  if (entry.hardLinkKey === undefined) return undefined;
  const earlier = firstNames.get(entry.hardLinkKey);
  if (earlier === undefined) firstNames.set(entry.hardLinkKey, entry.path);
  return earlier;
}

function headerOf(
  entry: LocalEntry,
  earlier: string | undefined,
  { keepOwner = false }: PackOptions,
): TarEntryHeader {
  return {
    type: earlier === undefined ? entry.type : 'hardLink',
    name: entry.path,
    mode: entry.mode,
    uid: keepOwner ? entry.uid : 0,
    gid: keepOwner ? entry.gid : 0,
    mtimeNs: entry.mtimeNs,
    sizeBytes: earlier === undefined ? entry.sizeBytes : 0,
    linkName: earlier ?? entry.linkTarget,
  };
}

/** Reads one byte more than there should be: so a file that has grown is seen by the same call. */
function readSmall(path: string, chunk: Buffer, at: number, sizeBytes: number): number {
  let descriptor: number;
  try {
    descriptor = openSync(path, openFlags);
  } catch (cause) {
    throw unreadable(path, cause);
  }
  try {
    let total = 0;
    while (total <= sizeBytes) {
      const bytes = readSync(descriptor, chunk, at + total, sizeBytes + 1 - total, null);
      total += bytes;
      if (bytes === 0 || total === sizeBytes) break;
    }
    if (total !== sizeBytes) throw changed(path);
  } catch (cause) {
    throw cause instanceof LocalFileError ? cause : unreadable(path, cause);
  } finally {
    closeSync(descriptor);
  }
  return padBlock(chunk, at + sizeBytes, at);
}

async function* readLarge(
  path: string,
  sizeBytes: number,
  { onBytes }: PackOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const handle = await open(path, openFlags).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  try {
    let position = 0;
    const readNext = () => handle.read(Buffer.allocUnsafeSlow(chunkBytes), 0, chunkBytes, position);
    while (position < sizeBytes) {
      const { bytesRead, buffer } = await readNext();
      if (bytesRead === 0 || position + bytesRead > sizeBytes) throw changed(path);
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
      onBytes?.(bytesRead);
    }
    if ((await readNext()).bytesRead > 0) throw changed(path);
  } catch (cause) {
    throw errnoOf(cause) === undefined || cause instanceof LocalFileError
      ? cause
      : unreadable(path, cause);
  } finally {
    await handle.close();
  }
}

const changed = (path: string) =>
  new LocalFileError(
    `The local file ${path} changed while it was sent. Send the directory again.`,
    path,
  );

const unreadable = (path: string, cause: unknown) =>
  new LocalFileError(`The local file ${path} cannot be read: ${reason(cause)}.`, path, cause);
