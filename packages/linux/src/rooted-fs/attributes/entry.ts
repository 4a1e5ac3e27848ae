import type { ByteString } from '../../ffi/byte-string.ts';
import { statx } from '../../ffi/file-calls.ts';
import { SystemError } from '../../ffi/system-error.ts';
import { type RawStat, parseStatx } from './file-stat.ts';

const ITSELF = '' as ByteString;

/** @throws SystemError */
export function statDescriptor(fd: number): RawStat {
  const buffer = statx(fd, ITSELF);
  if (buffer === undefined) throw new SystemError('ENOENT', 'statx');
  return parseStatx(buffer);
}

/** One name in a directory, symlinks not followed; undefined when there is none. @throws SystemError */
export function statEntry(directory: number, name: ByteString): RawStat | undefined {
  const buffer = statx(directory, name);
  return buffer === undefined ? undefined : parseStatx(buffer);
}
