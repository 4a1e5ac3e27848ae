import { fchmodSync } from 'node:fs';
import { chownDescriptor, setModifiedTime } from '../../ffi/file-calls.ts';
import { errnoOf } from '../../ffi/system-error.ts';
import type { RawStat } from './file-stat.ts';

/** What a file is to have, in host ids; what is left out stays as it is. */
export interface FileAttributes {
  /** Permission, setuid, setgid and sticky bits. */
  readonly mode?: number | undefined;
  readonly hostUid?: number | undefined;
  readonly hostGid?: number | undefined;
  /** Nanoseconds since 1970. */
  readonly mtimeNs?: bigint | undefined;
}

/**
 * Sets what was asked for. The owner comes first: a change of it takes the set-id bits away.
 * @param current what the file has by now @throws SystemError
 */
export function setAttributes(fd: number, attributes: FileAttributes, current: RawStat): void {
  const { mode, hostUid = current.hostUid, hostGid = current.hostGid, mtimeNs } = attributes;
  const isNewOwner = hostUid !== current.hostUid || hostGid !== current.hostGid;
  if (isNewOwner) chownDescriptor(fd, hostUid, hostGid);
  const wanted = mode ?? current.mode;
  if (wanted !== current.mode || isNewOwner) fchmodSync(fd, wanted & 0o7777);
  if (mtimeNs !== undefined) setModifiedTime(fd, mtimeNs);
}

/** Gives a file an owner that it need not get: one that its mount cannot express is left out. */
export function setOwnerWherePossible(fd: number, hostUid: number, hostGid: number): void {
  try {
    chownDescriptor(fd, hostUid, hostGid);
  } catch (error) {
    if (!['EINVAL', 'EOVERFLOW'].includes(errnoOf(error) ?? '')) throw error;
  }
}

/** Bits that are left after somebody else wrote the file, as the kernel has it. */
export function modeAfterWrite(mode: number): number {
  const setGroupId = (mode & 0o010) === 0 ? 0 : 0o2000;
  return mode & ~0o4000 & ~setGroupId;
}
