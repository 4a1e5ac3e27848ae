import type { FileEntry, FileType } from '@sandport/protocol';

/** A file, directory or symlink of a sandbox. */
export interface FileInfo {
  /** Name without its directory. Bytes that are not UTF-8 come as U+FFFD. */
  readonly name: string;
  /** Absolute path in the sandbox. */
  readonly path: string;
  readonly type: FileType;
  readonly isDirectory: boolean;
  /** Same as `isDirectory`, as the API spells it. */
  readonly is_dir: boolean;
  /** Bytes. */
  readonly size: number;
  /** Letter of the type: f, d, l, p, s, c or b. */
  readonly mode: string;
  /** Permission bits in octal, as `0644`. */
  readonly permissions: string;
  /** Owner inside the sandbox. */
  readonly uid: number;
  /** Group inside the sandbox. */
  readonly gid: number;
  /** Last change of the contents, whole seconds since 1970. */
  readonly mtime: number;
  /** Last change of the contents, to the millisecond. */
  readonly modifiedAt: Date;
  /** Text of the link, when it is one. */
  readonly symlinkTarget?: string;
  /** Base64 of the name, when it is not UTF-8. Such a file can be listed, not opened. */
  readonly nameBase64?: string;
  /** Validator of a regular file, for `ifMatch`. `stat` gives it, listings do not. */
  readonly etag?: string;
  /** SHA-256 of a regular file in hex; only where it was asked for. */
  readonly sha256?: string;
}

/** Makes it from what the API sends. */
export function fileInfo(entry: FileEntry): FileInfo {
  const { symlink_target, name_base64, modified_at, etag, sha256, ...same } = entry;
  return {
    ...same,
    isDirectory: entry.is_dir,
    modifiedAt: new Date(modified_at),
    ...(symlink_target !== undefined && { symlinkTarget: symlink_target }),
    ...(name_base64 !== undefined && { nameBase64: name_base64 }),
    ...(etag !== undefined && { etag }),
    ...(sha256 !== undefined && { sha256 }),
  };
}
