import { type ByteString, byteString } from '../../ffi/byte-string.ts';
import { RootedFsError } from '../rooted-fs-error.ts';

/** PATH_MAX without its terminating NUL, in bytes. */
export const MAX_PATH_BYTES = 4095;

/** As the kernel's own limit on symlinks in one path. */
export const MAX_SYMLINKS = 40;

/**
 * The bytes of an absolute path inside the root.
 * @throws RootedFsError `invalid_path` when it is empty, relative, over 4095 bytes, or holds NUL
 * or a lone surrogate
 */
export function parsePath(path: string): ByteString {
  const invalid = (reason: string, errno?: string) =>
    new RootedFsError('invalid_path', path, { reason, errno });
  if (path === '') throw invalid('the path is empty');
  if (path.includes('\0')) throw invalid('the path holds a NUL character');
  if (!path.startsWith('/')) throw invalid('the path must be absolute');
  if (/\p{Surrogate}/u.test(path)) throw invalid('the path is not valid Unicode');
  const bytes = Buffer.from(path, 'utf8').toString('latin1');
  if (bytes.length > MAX_PATH_BYTES) {
    throw invalid(`the path is longer than ${MAX_PATH_BYTES} bytes`, 'ENAMETOOLONG');
  }
  return byteString(bytes);
}

/** The components of a path, without empty ones. */
export function componentsOf(path: string): ByteString[] {
  return path.split('/').filter((part): part is ByteString => part !== '');
}

export interface SplitPath {
  readonly parent: ByteString;
  /** The last component, or undefined when the path can only mean a directory: '/', 'a/', '..'. */
  readonly name: ByteString | undefined;
}

export function splitPath(path: ByteString): SplitPath {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  const isName = name !== '' && name !== '.' && name !== '..';
  return {
    parent: byteString(path.slice(0, slash) || '/'),
    name: isName ? byteString(name) : undefined,
  };
}

/** Whether `path` is `area` or lies below it. Both are normal absolute paths. */
export function isWithin(path: string, area: string): boolean {
  return path === area || path.startsWith(area === '/' ? area : `${area}/`);
}
