import { randomBytes } from 'node:crypto';
import { closeSync } from 'node:fs';
import { type ByteString, byteString, textOf } from '../../ffi/byte-string.ts';
import {
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_WRONLY,
  RESOLVE_BENEATH,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from '../../ffi/constants.ts';
import { withFileOwner } from '../../ffi/credential-calls.ts';
import { openat, openat2, reopen } from '../../ffi/file-calls.ts';
import { SystemError } from '../../ffi/system-error.ts';
import { statDescriptor, statEntry } from '../attributes/entry.ts';
import { type RawStat, etagOf } from '../attributes/file-stat.ts';
import { parsePath, splitPath } from '../paths/guest-path.ts';
import { type Creation, openDirectory } from '../entries/make-directory.ts';
import { type RootDirectory, joinPath } from '../paths/root-directory.ts';
import { Refusal } from '../rooted-fs-error.ts';
import { type WritePlan, putInPlace } from '../write/put-in-place.ts';
import {
  TEMPORARY_PREFIX,
  type TemporaryFile,
  discard,
  isTemporaryName,
} from '../write/temporary-file.ts';
import { unlinkEntry } from '../remove/unlink-entry.ts';
import type { WriteTarget } from '../write/write-target.ts';

/** Finds a staged file again, in this process or a later one. */
export interface StagedRef {
  /** Normal absolute path inside the root. */
  readonly path: string;
  /** Number and birth of the file: what a guest that puts another one there cannot copy. */
  readonly identity: string;
}

/** The file and its place. The caller closes both descriptors. */
export interface OpenStaged {
  readonly fd: number;
  /** O_PATH descriptor. */
  readonly directory: number;
  readonly name: ByteString;
}

/** Makes an empty file under a name of its own beside its target. @throws SystemError, Refusal */
export function createStaged(
  root: RootDirectory,
  { directory }: WriteTarget,
  { hostUid, hostGid }: Creation,
): StagedRef {
  const name = byteString(`${TEMPORARY_PREFIX}upload-${randomBytes(16).toString('hex')}`);
  const bytes = joinPath(root.pathOf(directory), [name]);
  const path = textOf(bytes);
  if (parsePath(path) !== bytes) {
    throw new Refusal('invalid_path', { reason: 'the name of its directory is not UTF-8' });
  }
  const flags = O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY;
  const fd = withFileOwner(hostUid, hostGid, () => openat(directory, name, flags, 0o600));
  try {
    return { path, identity: markOf(statDescriptor(fd)) };
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens a staged file. Nothing else is opened: what a guest may have put in its place is looked at
 * first, without following it.
 * @param flags for openat @throws SystemError ENOENT when it is gone or is another file
 */
export function openStaged(root: RootDirectory, ref: StagedRef, flags: number): OpenStaged {
  const { parent, name } = splitPath(parsePath(ref.path));
  if (name === undefined) throw new SystemError('ENOENT', 'openat');
  const { fd: directory } = openDirectory(root, parent, undefined);
  try {
    const handle = openat(directory, name, O_PATH | O_NOFOLLOW);
    try {
      if (!isStaged(statDescriptor(handle), ref)) throw new SystemError('ENOENT', 'openat');
      return { fd: reopen(handle, flags | O_NONBLOCK | O_NOCTTY), directory, name };
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    closeSync(directory);
    throw error;
  }
}

/**
 * Puts an open staged file at its target, as any finished write, and takes its own name away.
 * @returns the ETag @throws SystemError ENOENT when it was replaced meanwhile, Refusal
 */
export function publishStaged(
  staged: OpenStaged,
  ref: StagedRef,
  target: WriteTarget,
  plan: WritePlan,
): string {
  const entry = statEntry(staged.directory, staged.name);
  if (entry === undefined || !isStaged(entry, ref)) throw new SystemError('ENOENT', 'linkat');
  // By its descriptor: no name that a guest may change decides what appears at the target.
  const file: TemporaryFile = { fd: staged.fd, name: undefined };
  try {
    putInPlace(file, target, plan);
    removeName(staged.directory, staged.name, ref);
  } finally {
    discard(file, target.directory);
  }
  // Last, because each of its names that comes or goes is a change of the file.
  return etagOf(statDescriptor(staged.fd));
}

/** Removes a staged file. @throws SystemError ENOENT when its directory is gone */
export function discardStaged(root: RootDirectory, ref: StagedRef): void {
  const { parent, name } = splitPath(parsePath(ref.path));
  if (name === undefined) return;
  const { fd: directory } = openDirectory(root, parent, undefined);
  try {
    removeName(directory, name, ref);
  } finally {
    closeSync(directory);
  }
}

/**
 * Removes what a copy of the disk has of a staged file. On another mount there is no copy, but the
 * file itself, which stays. @throws SystemError ENOENT, ELOOP when its directory is gone; EXDEV
 */
export function discardStagedCopy(root: RootDirectory, ref: StagedRef): void {
  const { parent, name } = splitPath(parsePath(ref.path));
  if (name === undefined || !isTemporaryName(name)) return;
  const top = root.open(byteString('/'), O_PATH | O_DIRECTORY);
  try {
    const below = byteString(`.${parent}`);
    const directory = openat2(top, below, O_PATH | O_DIRECTORY, onThisMount);
    try {
      if (statEntry(directory, name)?.type === 'file') unlinkEntry(directory, name);
    } finally {
      closeSync(directory);
    }
  } finally {
    closeSync(top);
  }
}

const onThisMount = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;

/** Whatever else has got that name stays. */
function removeName(directory: number, name: ByteString, ref: StagedRef): void {
  const entry = statEntry(directory, name);
  if (entry !== undefined && markOf(entry) === ref.identity) unlinkEntry(directory, name);
}

const isStaged = (stat: RawStat, ref: StagedRef): boolean =>
  stat.type === 'file' && stat.nlink === 1 && markOf(stat) === ref.identity;

const markOf = ({ ino, birthNs }: RawStat): string => `${ino.toString(36)}-${birthNs.toString(36)}`;
