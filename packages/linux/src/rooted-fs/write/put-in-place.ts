import { fchmodSync } from 'node:fs';
import { withFileOwner } from '../../ffi/credential-calls.ts';
import { openEntry } from '../../ffi/file-calls.ts';
import { statDescriptor } from '../attributes/entry.ts';
import {
  type FileAttributes,
  modeAfterWrite,
  setAttributes,
  setOwnerWherePossible,
} from '../attributes/file-attributes.ts';
import { type RawStat, etagOf } from '../attributes/file-stat.ts';
import { closeReplaced } from '../descriptors/guarded-descriptor.ts';
import type { Creation } from '../entries/make-directory.ts';
import { Refusal } from '../rooted-fs-error.ts';
import { type TemporaryFile, publishIfFree, publishOver } from './temporary-file.ts';
import type { WriteTarget } from './write-target.ts';

/** Says whether the file that is there (its ETag, undefined: nothing) may be written over. */
export type WritePrecondition = (etag: string | undefined) => boolean;

/** What becomes of a file that takes the place of another, or of none. */
export interface WritePlan {
  /** Owner and mode where nothing was, in host ids. */
  readonly creation: Creation;
  /** What it gets whatever was there; the rest is kept of the file that is replaced. */
  readonly attributes: FileAttributes;
  readonly precondition?: WritePrecondition | undefined;
}

/** How often a name may appear and vanish before we give up. */
const MAX_RACES = 16;

/**
 * Puts a file that is written at its name, atomically, over what is there unless that is a
 * directory. The precondition is looked at in the same synchronous step: nothing else of this
 * process comes between it and the file.
 * @returns the ETag @throws SystemError, Refusal `is_directory`, `precondition_failed`
 */
export function putInPlace(file: TemporaryFile, target: WriteTarget, plan: WritePlan): string {
  const { directory, name } = target;
  for (let attempt = 0; attempt < MAX_RACES; attempt++) {
    // Held until the end: dropping the last reference to a large file would block this thread.
    const replaced = openEntry(directory, name);
    if (replaced === undefined) {
      const etag = putWhereNothingIs(file, target, plan);
      if (etag !== undefined) return etag;
      continue; // It came up meanwhile.
    }
    try {
      const old = statDescriptor(replaced);
      if (old.type === 'directory') throw new Refusal('is_directory', { fileType: old.type });
      checkPrecondition(plan, etagOf(old));
      dressAs(file.fd, plan, old.type === 'file' ? old : undefined);
      asOwner(plan, () => publishOver(file, directory, name));
      return etagOf(statDescriptor(file.fd));
    } finally {
      closeReplaced(replaced);
    }
  }
  throw new Refusal('busy', { errno: 'EAGAIN' });
}

/**
 * The same where nothing has the name; undefined when something has.
 * @throws SystemError, Refusal `precondition_failed`
 */
export function putWhereNothingIs(
  file: TemporaryFile,
  target: WriteTarget,
  plan: WritePlan,
): string | undefined {
  checkPrecondition(plan, undefined);
  dressAs(file.fd, plan, undefined);
  const { directory, name } = target;
  const isPut = asOwner(plan, () => publishIfFree(file, directory, name));
  return isPut ? etagOf(statDescriptor(file.fd)) : undefined;
}

/** @throws Refusal `precondition_failed` */
export function checkPrecondition(plan: WritePlan, etag: string | undefined): void {
  if (plan.precondition?.(etag) === false) throw new Refusal('precondition_failed');
}

/** Gives the file the attributes that were asked for, else those of the old file, if any. */
function dressAs(fd: number, { creation, attributes }: WritePlan, old: RawStat | undefined): void {
  if (old === undefined) fchmodSync(fd, creation.mode & 0o7777);
  else {
    const isOwn = old.hostUid === creation.hostUid && old.hostGid === creation.hostGid;
    if (!isOwn) setOwnerWherePossible(fd, old.hostUid, old.hostGid);
    fchmodSync(fd, modeAfterWrite(old.mode));
  }
  // Being looked at, the file gets a time of change of its own with the next one (kernel 6.13).
  setAttributes(fd, attributes, statDescriptor(fd));
}

const asOwner = <Result>({ creation }: WritePlan, action: () => Result): Result =>
  withFileOwner(creation.hostUid, creation.hostGid, action);
