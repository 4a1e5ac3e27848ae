import { closeSync } from 'node:fs';
import type { ByteString } from '../../ffi/byte-string.ts';
import { errnoOf } from '../../ffi/system-error.ts';
import { statEntry } from '../attributes/entry.ts';
import { etagOf } from '../attributes/file-stat.ts';
import type { GuestOwner, IdMapping } from '../attributes/id-mapping.ts';
import type { Creation } from '../entries/make-directory.ts';
import { type WritePlan, type WritePrecondition, checkPrecondition } from './put-in-place.ts';
import type { RootDirectory } from '../paths/root-directory.ts';
import { type WriteTarget, findWriteTarget } from './write-target.ts';

export interface CreateWriterOptions {
  /** Make missing parent directories. @default true */
  readonly createParents?: boolean;
  /** Permission bits. @default those of the file that is there; of a new one 0o644 */
  readonly mode?: number;
  /** Permission bits of new parents. @default 0o755 */
  readonly directoryMode?: number;
  /** Owner; what is left out is the file's that is there, of a new one the default owner's. */
  readonly owner?: Partial<GuestOwner>;
  /** Owner of a new file and of new parents. @default root of the guest */
  readonly defaultOwner?: GuestOwner;
  /** Time of the last change, nanoseconds since 1970. @default now */
  readonly mtimeNs?: bigint;
  /** Looked at before anything is made, and again in the moment in which the file appears. */
  readonly precondition?: WritePrecondition;
}

/** Where a write ends and what becomes of it. The caller closes `target.directory`. */
export interface BegunWrite {
  readonly target: WriteTarget;
  readonly plan: WritePlan;
  readonly root: RootDirectory;
}

/** @throws SystemError, Refusal; RangeError for an id that the guest does not have */
export function beginWrite(
  root: RootDirectory,
  ids: IdMapping,
  path: ByteString,
  options: CreateWriterOptions,
): BegunWrite {
  const { owner = {}, defaultOwner = { uid: 0, gid: 0 }, mode, mtimeNs, precondition } = options;
  const creation: Creation = {
    hostUid: ids.toHost(owner.uid ?? defaultOwner.uid),
    hostGid: ids.toHost(owner.gid ?? defaultOwner.gid),
    mode: mode ?? 0o644,
  };
  const attributes = {
    mode,
    hostUid: owner.uid === undefined ? undefined : creation.hostUid,
    hostGid: owner.gid === undefined ? undefined : creation.hostGid,
    mtimeNs,
  };
  const plan: WritePlan = { creation, attributes, precondition };
  const parents = { ...creation, mode: options.directoryMode ?? 0o755 };
  const mayCreate = options.createParents ?? true;
  const target =
    (precondition === undefined ? undefined : findChecked(root, path, plan)) ??
    findWriteTarget(root, path, mayCreate ? parents : undefined);
  return { target, plan, root };
}

/** Looks at the precondition before any directory is made; undefined when one is missing. */
function findChecked(
  root: RootDirectory,
  path: ByteString,
  plan: WritePlan,
): WriteTarget | undefined {
  let target: WriteTarget;
  try {
    target = findWriteTarget(root, path, undefined);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    checkPrecondition(plan, undefined);
    return undefined;
  }
  try {
    const entry = statEntry(target.directory, target.name);
    checkPrecondition(plan, entry === undefined ? undefined : etagOf(entry));
    return target;
  } catch (error) {
    closeSync(target.directory);
    throw error;
  }
}
