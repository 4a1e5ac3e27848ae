import { type ErrorCode, SandportFault } from '@sandport/protocol';
import { RootedFsError, type RootedFsErrorKind } from '@sandport/linux';

const codes: Record<RootedFsErrorKind, ErrorCode> = {
  not_found: 'file_not_found',
  is_directory: 'is_directory',
  not_a_directory: 'not_a_directory',
  not_a_regular_file: 'not_a_regular_file',
  symlink_loop: 'symlink_loop',
  invalid_path: 'invalid_path',
  not_empty: 'directory_not_empty',
  exists: 'already_exists',
  precondition_failed: 'precondition_failed',
  file_too_large: 'payload_too_large',
  busy: 'path_busy',
  read_only: 'read_only',
  permission_denied: 'permission_denied',
  disk_full: 'disk_full',
  truncated: 'path_busy',
  unsafe: 'unsafe_archive',
  no_watches: 'limit_reached',
  io: 'internal',
};

const sentences: Record<RootedFsErrorKind, (path: string, reason: string | undefined) => string> = {
  not_found: (path) => `Nothing exists at ${path}.`,
  is_directory: (path) => `${path} is a directory.`,
  not_a_directory: (path) => `${path}, or a part of it, is not a directory.`,
  not_a_regular_file: (path) => `${path} is not a regular file.`,
  symlink_loop: (path) => `${path} runs through too many symbolic links.`,
  invalid_path: (path, reason = 'is not a valid path') => `${path}: ${reason}.`,
  not_empty: (path) => `The directory ${path} is not empty.`,
  exists: (path) => `Something is at ${path} already.`,
  precondition_failed: (path) => `${path} is not in the state that the condition names.`,
  file_too_large: (path) => `${path} would be larger than its file system takes.`,
  busy: (path) => `${path} is in use, or being changed at this moment.`,
  read_only: (path) => `${path} lies on a file system that is mounted read-only.`,
  permission_denied: (path, reason = 'the kernel does not allow this') => `${path}: ${reason}.`,
  disk_full: (path) => `The disk is full; ${path} was not changed.`,
  truncated: (path) => `${path} became shorter while it was read.`,
  unsafe: (path, reason = 'it would lead out of its directory') => `${path} is refused: ${reason}.`,
  no_watches: (path) => `The kernel has no more watches for ${path}.`,
  io: (path) => `The disk failed at ${path}.`,
};

/** What a client is told about a failed file operation. */
export function fileFault(error: unknown, path: string): unknown {
  if (!(error instanceof RootedFsError)) return error;
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path;
  return new SandportFault(
    codes[error.kind],
    sentences[error.kind](shown, error.reason),
    {
      path: shown,
      ...(error.errno === undefined ? {} : { errno: error.errno }),
      ...(error.fileType === undefined ? {} : { file_type: error.fileType }),
    },
    { cause: error },
  );
}

/** Runs a file operation; its errors become faults about `path`. */
export function about<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw fileFault(error, path);
  }
}

/** The same, of an operation that takes time. */
export async function aboutAsync<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw fileFault(error, path);
  }
}
