import { closeSync, fchmodSync, open } from 'node:fs';
import { promisify } from 'node:util';
import type { ByteString } from '../../ffi/byte-string.ts';
import {
  O_APPEND,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
} from '../../ffi/constants.ts';
import { descriptorPath } from '../../ffi/file-calls.ts';
import { statDescriptor } from '../attributes/entry.ts';
import { modeAfterWrite } from '../attributes/file-attributes.ts';
import type { IdMapping } from '../attributes/id-mapping.ts';
import { makeFile, openThere } from '../entries/touch-file.ts';
import type { Creation } from '../entries/make-directory.ts';
import type { RootDirectory } from '../paths/root-directory.ts';
import { Refusal } from '../rooted-fs-error.ts';
import { HeldFile } from './held-file.ts';

export interface OpenHeldOptions {
  readonly read: boolean;
  readonly write: boolean;
  /** Every write goes to the end. */
  readonly append: boolean;
  readonly truncate: boolean;
  /** How a file is made where nothing is; undefined: not at all. */
  readonly creation: Creation | undefined;
  /** It must be made. */
  readonly exclusive: boolean;
}

/** How often a file may vanish while it is made before we give up. */
const MAX_RACES = 16;

const openInPool = promisify(open);

/**
 * Opens a regular file to be read and written in place; follows symlinks. Parents are not made.
 * @throws SystemError, Refusal
 */
export async function openHeldFile(
  root: RootDirectory,
  ids: IdMapping,
  bytes: ByteString,
  path: string,
  options: OpenHeldOptions,
): Promise<HeldFile> {
  const { creation, exclusive } = options;
  for (let attempt = 0; attempt < MAX_RACES; attempt++) {
    const handle = openThere(root, bytes, creation !== undefined);
    if (handle !== undefined) {
      try {
        if (exclusive) throw new Refusal('exists', { fileType: statDescriptor(handle).type });
        return new HeldFile(await reopenInPool(handle, options), path, ids);
      } finally {
        closeSync(handle);
      }
    }
    const made = creation && makeFile(root, bytes, creation, undefined);
    if (made === undefined) continue;
    try {
      return new HeldFile(await reopenInPool(made, options), path, ids);
    } finally {
      closeSync(made);
    }
  }
  throw new Refusal('busy', { errno: 'EAGAIN' });
}

/** Opens what a descriptor stands for once more, in the thread pool: overlay may copy it up. */
async function reopenInPool(handle: number, options: OpenHeldOptions): Promise<number> {
  const { type } = statDescriptor(handle);
  if (type === 'directory') throw new Refusal('is_directory', { fileType: type });
  if (type !== 'file') throw new Refusal('not_a_regular_file', { fileType: type });
  const { read, write, append, truncate } = options;
  const access = write ? (read ? O_RDWR : O_WRONLY) : O_RDONLY;
  const flags = access | (append ? O_APPEND : 0) | (truncate && write ? O_TRUNC : 0);
  const fd = await openInPool(descriptorPath(handle), flags | O_NONBLOCK | O_NOCTTY);
  try {
    if (write) dropSetId(fd);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** What another than its owner writes into has no set-id bits, as the kernel has it. */
function dropSetId(fd: number): void {
  const { mode } = statDescriptor(fd);
  const left = modeAfterWrite(mode);
  if (left !== mode) fchmodSync(fd, left);
}
