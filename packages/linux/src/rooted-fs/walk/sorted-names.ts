import type { ByteString } from '../../ffi/byte-string.ts';
import { scanDirectory } from './scan-directory.ts';
import { sortInSlices } from './sort-in-slices.ts';
import { TimeSlice } from '../../time-slice.ts';

/**
 * A directory with more than twice as many names is read once for every so many of them, so that
 * memory does not grow with it. A test sets fewer.
 */
export const nameWindow = { names: 65_536 };

/** Short lists are sorted in one go. */
const SHORT = 2048;

/** The smallest names of a directory behind a given one. */
export interface NameWindow {
  /** Sorted byte by byte. */
  readonly names: ByteString[];
  /** Whether these are all that there are. */
  readonly isLast: boolean;
}

/**
 * Names in the directory that `fd` has open (not with O_PATH), sorted byte by byte, in batches.
 * @param after begins behind this name @throws SystemError
 */
export async function* sortedNames(fd: number, after?: ByteString): AsyncGenerator<ByteString[]> {
  const slice = new TimeSlice();
  for (let last = after; ; ) {
    const { names, isLast } = await nextNames(fd, last, slice);
    if (names.length > 0) yield names;
    if (isLast) return;
    last = names.at(-1);
  }
}

/** One window of {@link sortedNames}. @throws SystemError */
export async function nextNames(
  fd: number,
  after: ByteString | undefined,
  slice: TimeSlice,
): Promise<NameWindow> {
  let names: ByteString[] = [];
  let largest: ByteString | undefined;
  for await (const batch of scanDirectory(fd)) {
    for (const name of batch) {
      const isBefore = after !== undefined && name <= after;
      if (!isBefore && (largest === undefined || name < largest)) names.push(name);
    }
    if (names.length > 2 * nameWindow.names) {
      names = (await sorted(names, slice)).slice(0, nameWindow.names);
      largest = names.at(-1);
    }
    if (slice.isOver) await slice.yield();
  }
  names = await sorted(names, slice);
  if (largest === undefined) return { names, isLast: true };
  return { names: names.slice(0, nameWindow.names), isLast: false };
}

/** Without the second of two equal names, which a directory that changes meanwhile can show. */
async function sorted(names: ByteString[], slice: TimeSlice): Promise<ByteString[]> {
  const all = names.length <= SHORT ? names.sort() : await sortInSlices(names, slice);
  return all.filter((name, index) => name !== all[index - 1]);
}
