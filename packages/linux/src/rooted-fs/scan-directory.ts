import { opendir } from 'node:fs/promises';
import { type ByteString, byteString } from '../ffi/byte-string.ts';
import { O_DIRECTORY, O_RDONLY } from '../ffi/constants.ts';
import { descriptorPath, getdents, reopen } from '../ffi/file-calls.ts';
import { closeSync } from 'node:fs';
import { statDescriptor } from './entry.ts';

/** A directory of this size on disk may hold so many entries that reading it takes long. */
const LARGE_DIRECTORY_BYTES = 64 * 1024;
const BUFFER_BYTES = 32 * 1024;
const BATCH_ENTRIES = 512;

/**
 * Names in the directory that `fd` has open, without '.' and '..', in batches. Reads from the start
 * whatever was read before. A large directory is read in the thread pool: its first read alone can
 * take the kernel a second (overlay merges all of it then).
 * @throws SystemError, or Node's error of the same shape
 */
export function scanDirectory(fd: number): AsyncIterable<ByteString[]> {
  const isLarge = statDescriptor(fd).size > LARGE_DIRECTORY_BYTES;
  return isLarge ? scanInThreadPool(fd) : scanHere(fd);
}

async function* scanHere(fd: number): AsyncGenerator<ByteString[]> {
  const handle = reopen(fd, O_RDONLY | O_DIRECTORY);
  try {
    const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
    for (;;) {
      const length = getdents(handle, buffer);
      if (length === 0) return;
      yield namesIn(buffer, length);
    }
  } finally {
    closeSync(handle);
  }
}

/** Reads struct linux_dirent64 records: u64 ino, s64 offset, u16 length, u8 type, name. */
function namesIn(buffer: Buffer, length: number): ByteString[] {
  const names: ByteString[] = [];
  for (let offset = 0; offset < length; offset += buffer.readUInt16LE(offset + 16)) {
    const end = buffer.indexOf(0, offset + 19);
    const name = buffer.toString('latin1', offset + 19, end);
    if (name !== '.' && name !== '..') names.push(byteString(name));
  }
  return names;
}

async function* scanInThreadPool(fd: number): AsyncGenerator<ByteString[]> {
  // The path is the kernel's own link to the open directory; no name in it is the guest's.
  const directory = await opendir(descriptorPath(fd), {
    encoding: 'latin1',
    bufferSize: BATCH_ENTRIES,
  });
  let batch: ByteString[] = [];
  for await (const entry of directory) {
    batch.push(byteString(entry.name));
    if (batch.length === BATCH_ENTRIES) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}
