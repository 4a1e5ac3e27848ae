import { closeSync } from 'node:fs';
import { type ByteString, textOf } from '../ffi/byte-string.ts';
import { O_DIRECTORY, O_NONBLOCK, O_RDONLY } from '../ffi/constants.ts';
import { readlinkat } from '../ffi/file-calls.ts';
import { statEntry } from './entry.ts';
import type { FileStat } from './file-stat.ts';
import type { IdMapping } from './id-mapping.ts';
import type { RootDirectory } from './root-directory.ts';
import { Refusal } from './rooted-fs-error.ts';
import { scanDirectory } from './scan-directory.ts';
import { sortInSlices } from './sort-in-slices.ts';
import { TimeSlice } from './time-slice.ts';

/**
 * How much of one directory is listed: it is all in memory at one time, and a guest chooses its size.
 * A test sets less.
 */
export const listingLimits = {
  entries: 100_000,
  /** Of the entries' paths and the targets of symlinks together. */
  textBytes: 32 * 2 ** 20,
};

/** One entry of a directory. */
export class DirEntry {
  readonly #bytes: ByteString;
  /** Of the entry itself: symlinks are not followed. */
  readonly stat: FileStat;

  constructor(bytes: ByteString, stat: FileStat) {
    this.#bytes = bytes;
    this.stat = stat;
  }

  /** Decoded as UTF-8, with U+FFFD for what is not. */
  get name(): string {
    return textOf(this.#bytes);
  }

  /** The name as it is. */
  get nameBytes(): Buffer {
    return Buffer.from(this.#bytes, 'latin1');
  }
}

/**
 * Entries sorted by name, byte by byte. What vanishes meanwhile is left out.
 * @throws SystemError, Refusal, also `too_large` beyond {@link listingLimits}
 */
export async function listDirectory(
  root: RootDirectory,
  path: ByteString,
  ids: IdMapping,
): Promise<DirEntry[]> {
  // With O_DIRECTORY the kernel opens nothing else: no FIFO, no device.
  const { fd, path: normal } = root.openAt(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  try {
    // A hidden area is empty for us, whatever the template has there.
    if (root.isHiddenArea(normal)) return [];
    const slice = new TimeSlice();
    const names: ByteString[] = [];
    let textBytes = 0;
    for await (const batch of scanDirectory(fd)) {
      for (const name of batch) {
        names.push(name);
        textBytes += path.length + name.length;
      }
      refuseBeyondLimits(names.length, textBytes);
      if (slice.isOver) await slice.yield();
    }
    const entries: DirEntry[] = [];
    for (const name of await sortInSlices(names, slice)) {
      const stat = statOf(fd, name, ids);
      if (stat !== undefined) entries.push(new DirEntry(name, stat));
      textBytes += stat?.symlinkTarget?.length ?? 0;
      refuseBeyondLimits(entries.length, textBytes);
      if (slice.isOver) await slice.yield();
    }
    return entries;
  } finally {
    closeSync(fd);
  }
}

function refuseBeyondLimits(entries: number, textBytes: number): void {
  if (entries <= listingLimits.entries && textBytes <= listingLimits.textBytes) return;
  throw new Refusal('too_large', {
    reason: `it has more than ${listingLimits.entries} entries, or ${listingLimits.textBytes} bytes of paths`,
  });
}

function statOf(directory: number, name: ByteString, ids: IdMapping): FileStat | undefined {
  const raw = statEntry(directory, name);
  if (raw === undefined) return undefined;
  if (raw.type !== 'symlink') return ids.guestStat(raw);
  try {
    return ids.guestStat(raw, textOf(readlinkat(directory, name)));
  } catch {
    return undefined; // It vanished, or is no longer a symlink.
  }
}
