import { closeSync, statfs } from 'node:fs';
import { promisify } from 'node:util';
import type { ByteString } from '../../ffi/byte-string.ts';
import { O_PATH } from '../../ffi/constants.ts';
import { descriptorPath } from '../../ffi/file-calls.ts';
import type { RootDirectory } from './root-directory.ts';

/** What a file system has, as statvfs(3) tells it. */
export interface FileSystemSpace {
  readonly blockBytes: bigint;
  readonly blocks: bigint;
  readonly freeBlocks: bigint;
  /** Of them for users other than root. */
  readonly availableBlocks: bigint;
  readonly files: bigint;
  readonly freeFiles: bigint;
}

const statfsInPool = promisify(statfs);

/** Of the file system that a path leads to. @throws SystemError, Refusal */
export async function fileSystemSpace(
  root: RootDirectory,
  path: ByteString,
): Promise<FileSystemSpace> {
  const fd = root.open(path, O_PATH);
  try {
    const found = await statfsInPool(descriptorPath(fd), { bigint: true });
    return {
      blockBytes: found.bsize,
      blocks: found.blocks,
      freeBlocks: found.bfree,
      availableBlocks: found.bavail,
      files: found.files,
      freeFiles: found.ffree,
    };
  } finally {
    closeSync(fd);
  }
}
