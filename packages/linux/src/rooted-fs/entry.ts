import type { ByteString } from '../ffi/byte-string.ts';
import { statx } from '../ffi/file-calls.ts';
import { errnoOf } from '../ffi/system-error.ts';
import { type RawStat, parseStatx } from './file-stat.ts';

const ITSELF = '' as ByteString;

/** @throws SystemError */
export function statDescriptor(fd: number): RawStat {
  return parseStatx(statx(fd, ITSELF));
}

/** One name in a directory, symlinks not followed; undefined when there is none. @throws SystemError */
export function statEntry(directory: number, name: ByteString): RawStat | undefined {
  try {
    return parseStatx(statx(directory, name));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
