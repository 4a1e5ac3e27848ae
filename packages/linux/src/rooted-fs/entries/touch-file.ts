import { closeSync, fchmodSync } from 'node:fs';
import type { ByteString } from '../../ffi/byte-string.ts';
import { O_CREAT, O_EXCL, O_NOFOLLOW, O_PATH, O_WRONLY } from '../../ffi/constants.ts';
import { withFileOwner } from '../../ffi/credential-calls.ts';
import { openat, setModifiedTime } from '../../ffi/file-calls.ts';
import { errnoOf } from '../../ffi/system-error.ts';
import { copyUp } from '../attributes/change-attributes.ts';
import { statDescriptor } from '../attributes/entry.ts';
import type { Creation } from './make-directory.ts';
import type { RootDirectory } from '../paths/root-directory.ts';
import { Refusal } from '../rooted-fs-error.ts';
import { findWriteTarget } from '../write/write-target.ts';

export interface TouchOptions {
  /** Nanoseconds since 1970. @default now */
  readonly mtimeNs?: bigint | undefined;
  /** How an empty file, and parents, are made where nothing is; undefined: not at all. */
  readonly creation?: Creation | undefined;
}

/** How often a file may vanish while it is made before we give up. */
const MAX_RACES = 16;

/** Sets the time of the last change; follows symlinks. @throws SystemError, Refusal */
export async function touchFile(
  root: RootDirectory,
  path: ByteString,
  { mtimeNs, creation }: TouchOptions,
): Promise<void> {
  for (let attempt = 0; attempt < MAX_RACES; attempt++) {
    const fd =
      openThere(root, path, creation !== undefined) ??
      (creation && makeFile(root, path, creation, { ...creation, mode: 0o755 }));
    if (fd === undefined) continue;
    try {
      const stat = statDescriptor(fd);
      if (stat.type !== 'file' && stat.type !== 'directory') {
        throw new Refusal('not_a_regular_file', { fileType: stat.type });
      }
      await copyUp(fd, stat);
      setModifiedTime(fd, mtimeNs ?? BigInt(Date.now()) * 1_000_000n);
      return;
    } finally {
      closeSync(fd);
    }
  }
  throw new Refusal('busy', { errno: 'EAGAIN' });
}

/** Opens what is there with O_PATH; undefined when nothing is and `mayBeMissing`. @throws SystemError, Refusal */
export function openThere(
  root: RootDirectory,
  path: ByteString,
  mayBeMissing: boolean,
): number | undefined {
  try {
    const { fd, path: normal } = root.openAt(path, O_PATH);
    try {
      root.refuseHidden(normal);
      return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || !mayBeMissing) throw error;
    return undefined;
  }
}

/**
 * Makes an empty file; undefined when something came up meanwhile.
 * @param parents how missing directories are made; undefined: not at all @throws SystemError, Refusal
 */
export function makeFile(
  root: RootDirectory,
  path: ByteString,
  { hostUid, hostGid, mode }: Creation,
  parents: Creation | undefined,
): number | undefined {
  const target = findWriteTarget(root, path, parents);
  try {
    const flags = O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY;
    const fd = withFileOwner(hostUid, hostGid, () =>
      openat(target.directory, target.name, flags, mode),
    );
    try {
      fchmodSync(fd, mode);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return fd;
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    return undefined;
  } finally {
    closeSync(target.directory);
  }
}
