import type { Buffer } from 'node:buffer';
import { InvalidArchiveError } from '../errors/client-errors.ts';

/** Values of a PAX header, byte by byte. */
export type PaxRecords = ReadonlyMap<string, Buffer>;

/** Reads records of the form `LENGTH KEY=VALUE\n`. @throws InvalidArchiveError */
export function parsePax(bytes: Buffer): PaxRecords {
  const records = new Map<string, Buffer>();
  let at = 0;
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at);
    const digits = bytes.toString('latin1', at, Math.max(at, space));
    const end = at + Number(digits);
    if (!/^[1-9]\d{0,8}$/.test(digits) || end > bytes.length || bytes[end - 1] !== 0x0a)
      throw new InvalidArchiveError('a PAX header is damaged');
    const equals = bytes.indexOf(0x3d, space);
    if (equals === -1 || equals >= end) throw new InvalidArchiveError('a PAX header is damaged');
    records.set(bytes.toString('latin1', space + 1, equals), bytes.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}
