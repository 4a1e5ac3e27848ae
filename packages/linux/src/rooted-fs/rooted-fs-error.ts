import { errnoOf } from '../ffi/system-error.ts';
import type { EntryType } from './attributes/file-stat.ts';
import { IdRangeError } from './attributes/id-mapping.ts';

export type RootedFsErrorKind =
  | 'not_found'
  | 'is_directory'
  | 'not_a_directory'
  | 'not_a_regular_file'
  | 'symlink_loop'
  | 'invalid_path'
  | 'not_empty'
  | 'exists'
  | 'precondition_failed'
  | 'file_too_large'
  | 'busy'
  | 'read_only'
  | 'permission_denied'
  | 'disk_full'
  | 'truncated'
  | 'unsafe'
  | 'no_watches'
  | 'io';

export interface RootedFsErrorDetails {
  /** Name of the kernel's error, as ENOENT. */
  readonly errno?: string | undefined;
  /** What the path is, when it is the wrong thing. */
  readonly fileType?: EntryType | undefined;
  /** Replaces the sentence's second half. */
  readonly reason?: string;
}

const sentences: Readonly<Record<RootedFsErrorKind, string>> = {
  not_found: 'no such file or directory',
  is_directory: 'is a directory',
  not_a_directory: 'a part of the path is not a directory',
  not_a_regular_file: 'only regular files, directories and symlinks are served',
  symlink_loop: 'too many symlinks, or a loop of them',
  invalid_path: 'the path is not valid',
  not_empty: 'the directory is not empty',
  exists: 'something is there already',
  precondition_failed: 'not in the state that the condition names',
  file_too_large: 'larger than the file system takes',
  busy: 'in use: a mount point, or changing too fast',
  read_only: 'the file system is read-only',
  permission_denied: 'permission denied',
  disk_full: 'no space left on the disk, or the quota is reached',
  truncated: 'the file became shorter while it was read',
  unsafe: 'it would lead out of its directory',
  no_watches: 'the kernel has no more watches for files',
  io: 'input/output error',
};

/** Every error of a RootedFs. `path` is the path of the call, as it was given. */
export class RootedFsError extends Error {
  readonly kind: RootedFsErrorKind;
  readonly path: string;
  readonly errno: string | undefined;
  readonly fileType: EntryType | undefined;
  readonly reason: string | undefined;

  constructor(kind: RootedFsErrorKind, path: string, details: RootedFsErrorDetails = {}) {
    const code = details.errno === undefined ? '' : ` (${details.errno})`;
    super(`${path}: ${details.reason ?? sentences[kind]}${code}`);
    this.name = 'RootedFsError';
    this.kind = kind;
    this.path = path;
    this.errno = details.errno;
    this.fileType = details.fileType;
    this.reason = details.reason;
  }
}

/** Why an operation stops, thrown where the path of the call is not known. */
export class Refusal extends Error {
  readonly kind: RootedFsErrorKind;
  readonly details: RootedFsErrorDetails;

  constructor(kind: RootedFsErrorKind, details: RootedFsErrorDetails = {}) {
    super(kind);
    this.kind = kind;
    this.details = details;
  }
}

const kindOfErrno: Readonly<Record<string, RootedFsErrorKind>> = {
  ENOENT: 'not_found',
  ESTALE: 'not_found',
  EISDIR: 'is_directory',
  ENOTDIR: 'not_a_directory',
  ELOOP: 'symlink_loop',
  ENAMETOOLONG: 'invalid_path',
  EILSEQ: 'invalid_path',
  ENOTEMPTY: 'not_empty',
  EEXIST: 'exists',
  EFBIG: 'file_too_large',
  EBUSY: 'busy',
  ETXTBSY: 'busy',
  EAGAIN: 'busy',
  EXDEV: 'busy',
  EROFS: 'read_only',
  EACCES: 'permission_denied',
  EPERM: 'permission_denied',
  ENOSPC: 'disk_full',
  EDQUOT: 'disk_full',
};

/** Turns a Refusal or what a system call threw into a RootedFsError about `path`. */
export function rootedFsErrorOf(error: unknown, path: string): Error {
  if (error instanceof RootedFsError) return error;
  if (error instanceof Refusal) return new RootedFsError(error.kind, path, error.details);
  const errno = errnoOf(error);
  if (errno !== undefined) return new RootedFsError(kindOfErrno[errno] ?? 'io', path, { errno });
  if (error instanceof IdRangeError) {
    return new RootedFsError('permission_denied', path, { reason: error.message });
  }
  return error instanceof Error ? error : new Error(String(error));
}
