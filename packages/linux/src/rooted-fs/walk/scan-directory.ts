import { type Dirent, closeSync } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { type ByteString, byteString } from '../../ffi/byte-string.ts';
import { O_DIRECTORY, O_RDONLY } from '../../ffi/constants.ts';
import { descriptorPath, getdents, reopen } from '../../ffi/file-calls.ts';
import { statDescriptor, statEntry } from '../attributes/entry.ts';
import type { EntryType } from '../attributes/file-stat.ts';

/** A directory of this size on disk may hold so many entries that reading it takes long. */
const LARGE_DIRECTORY_BYTES = 64 * 1024;
const BUFFER_BYTES = 32 * 1024;
const BATCH_ENTRIES = 512;

/** A name in a directory. */
export interface ScannedEntry {
  readonly name: ByteString;
  /** Undefined: it is gone already. */
  readonly type: EntryType | undefined;
}

/**
 * Names in the directory that `fd` has open, without '.' and '..', in batches. Reads from the start
 * whatever was read before. A large directory is read in the thread pool: its first read alone can
 * take the kernel a second (overlay merges all of it then).
 * @throws SystemError, or Node's error of the same shape
 */
export async function* scanDirectory(fd: number): AsyncGenerator<ByteString[]> {
  for await (const batch of scanEntries(fd)) yield batch.map(({ name }) => name);
}

/** The same with what each entry is. */
export function scanEntries(fd: number): AsyncIterable<ScannedEntry[]> {
  const isLarge = statDescriptor(fd).size > LARGE_DIRECTORY_BYTES;
  return isLarge ? scanInThreadPool(fd) : scanHere(fd);
}

/** Filled and emptied in one go, by one scan after the other. */
const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);

async function* scanHere(fd: number): AsyncGenerator<ScannedEntry[]> {
  const handle = reopen(fd, O_RDONLY | O_DIRECTORY);
  try {
    for (;;) {
      const length = getdents(handle, buffer);
      if (length === 0) return;
      yield entriesIn(fd, length);
    }
  } finally {
    closeSync(handle);
  }
}

/** The kernel's DT_ numbers. */
const types: Readonly<Record<number, EntryType>> = {
  1: 'fifo',
  2: 'character_device',
  4: 'directory',
  6: 'block_device',
  8: 'file',
  10: 'symlink',
  12: 'socket',
};

/** Reads struct linux_dirent64 records: u64 ino, s64 offset, u16 length, u8 type, name. */
function entriesIn(fd: number, length: number): ScannedEntry[] {
  const entries: ScannedEntry[] = [];
  for (let offset = 0; offset < length; offset += buffer.readUInt16LE(offset + 16)) {
    const end = buffer.indexOf(0, offset + 19);
    const text = buffer.toString('latin1', offset + 19, end);
    if (text === '.' || text === '..') continue;
    const name = byteString(text);
    entries.push({ name, type: types[buffer.readUInt8(offset + 18)] ?? statEntry(fd, name)?.type });
  }
  return entries;
}

async function* scanInThreadPool(fd: number): AsyncGenerator<ScannedEntry[]> {
  // The path is the kernel's own link to the open directory; no name in it is the guest's.
  const directory = await opendir(descriptorPath(fd), {
    encoding: 'latin1',
    bufferSize: BATCH_ENTRIES,
  });
  let batch: ScannedEntry[] = [];
  for await (const entry of directory) {
    const name = byteString(entry.name);
    batch.push({ name, type: typeOf(entry) ?? statEntry(fd, name)?.type });
    if (batch.length === BATCH_ENTRIES) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

function typeOf(entry: Dirent): EntryType | undefined {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  if (entry.isSymbolicLink()) return 'symlink';
  if (entry.isFIFO()) return 'fifo';
  if (entry.isSocket()) return 'socket';
  if (entry.isCharacterDevice()) return 'character_device';
  return entry.isBlockDevice() ? 'block_device' : undefined;
}
