import type { ByteRange } from './read-options.ts';

/**
 * The `Range` field for a part of a file.
 * @throws RangeError when the part holds no byte or is not in whole bytes
 */
export function rangeField({ start, end, last }: ByteRange): string {
  for (const bytes of [start, end, last]) {
    if (bytes !== undefined && !(Number.isSafeInteger(bytes) && bytes >= 0))
      throw new RangeError(`A range is in whole bytes from 0 on; ${bytes} is not.`);
  }
  if (last !== undefined) {
    if (last === 0) throw new RangeError('A range holds at least one byte.');
    return `bytes=-${last}`;
  }
  if (end === undefined) return `bytes=${start ?? 0}-`;
  if (end <= (start ?? 0)) throw new RangeError('A range holds at least one byte: end > start.');
  return `bytes=${start ?? 0}-${end - 1}`;
}
