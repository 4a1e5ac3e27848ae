import { chmodSync, closeSync } from 'node:fs';
import { type ByteString, byteString } from '../ffi/byte-string.ts';
import {
  O_CREAT,
  O_EXCL,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFSOCK,
} from '../ffi/constants.ts';
import {
  chownDescriptor,
  descriptorPath,
  linkDescriptor,
  mknodat,
  openEntry,
  openat,
  readlinkat,
  reopen,
  setModifiedTime,
  symlinkat,
  unlinkat,
} from '../ffi/file-calls.ts';
import { SystemError, errnoOf } from '../ffi/system-error.ts';
import { copyExtendedAttributes } from '../ffi/xattr-calls.ts';
import { statDescriptor } from '../rooted-fs/attributes/entry.ts';
import type { EntryType, RawStat } from '../rooted-fs/attributes/file-stat.ts';
import { copyContents } from '../rooted-fs/copy/copy-file.ts';
import { Refusal } from '../rooted-fs/rooted-fs-error.ts';

export interface LayerCopyContext {
  /** Opens a directory where files with several names lie under one of their own meanwhile. */
  readonly links: () => number;
  /** Id of the original that the copy has as 0. */
  readonly idBase: number;
  readonly signal: AbortSignal | undefined;
}

export interface LayerDirectories {
  readonly source: number;
  readonly target: number;
}

export interface LayerEntry {
  readonly name: ByteString;
  /** O_PATH descriptor of it. */
  readonly handle: number;
  readonly stat: RawStat;
}

/** How often a file that becomes shorter while it is copied is begun again. */
const MAX_ATTEMPTS = 5;

const ITSELF = '' as ByteString;

/** Copies one entry that is no directory. @throws SystemError, Refusal */
export async function copyLayerEntry(
  context: LayerCopyContext,
  { target }: LayerDirectories,
  entry: LayerEntry,
): Promise<void> {
  const { name, handle, stat } = entry;
  if (stat.nlink > 1 && linkToFirst(context, target, entry)) return;
  if (stat.type === 'file') await copyFile(context, target, entry);
  else {
    makeEmpty(target, name, handle, stat);
    withEntry(target, name, (made) => dress(context, made, handle, stat));
  }
  if (stat.nlink > 1) withEntry(target, name, (made) => keepForLinks(context, made, stat));
}

/** Gives a file owner, attributes, mode and time of another one; the owner first, it clears others. */
export function dress(
  { idBase }: LayerCopyContext,
  made: number,
  original: number,
  stat: RawStat,
): void {
  chownDescriptor(made, shifted(stat.hostUid, idBase), shifted(stat.hostGid, idBase));
  copyExtendedAttributes(original, made);
  if (stat.type !== 'symlink') chmodSync(descriptorPath(made), stat.mode);
  setModifiedTime(made, stat.mtimeNs);
}

/** An id that the original's guest does not have stays what it is. */
const shifted = (id: number, idBase: number): number => (id >= idBase ? id - idBase : id);

async function copyFile(
  context: LayerCopyContext,
  directory: number,
  { name, handle }: LayerEntry,
): Promise<void> {
  const source = reopen(handle, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  try {
    for (let attempt = 1; ; attempt++) {
      const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
      const made = openat(directory, name, flags, 0o600);
      try {
        const stat = statDescriptor(source);
        await copyContents(source, made, Number(stat.size), context.signal);
        dress(context, made, source, stat);
        return;
      } catch (error) {
        const isShorter = error instanceof Refusal && error.kind === 'truncated';
        if (!isShorter || attempt === MAX_ATTEMPTS) throw error;
        unlinkat(directory, name, 0);
      } finally {
        closeSync(made);
      }
    }
  } finally {
    closeSync(source);
  }
}

const modes: Partial<Record<EntryType, number>> = {
  fifo: S_IFIFO,
  socket: S_IFSOCK,
  character_device: S_IFCHR,
  block_device: S_IFBLK,
};

function makeEmpty(directory: number, name: ByteString, handle: number, stat: RawStat): void {
  if (stat.type === 'symlink') {
    symlinkat(readlinkat(handle, ITSELF), directory, name);
    return;
  }
  const mode = modes[stat.type];
  if (mode === undefined) throw new SystemError('EINVAL', 'mknodat');
  const [major = 0, minor = 0] = stat.deviceNumber.split(':').map(Number);
  mknodat(directory, name, mode | 0o600, { major, minor });
}

/** The same for all names of a file, and for no other one that gets its number later. */
const linkName = ({ ino, birthNs }: RawStat): ByteString => byteString(`${ino}-${birthNs}`);

/** True when the file was copied under another name before, and has this one too by now. */
function linkToFirst({ links }: LayerCopyContext, directory: number, entry: LayerEntry): boolean {
  const first = openEntry(links(), linkName(entry.stat));
  if (first === undefined) return false;
  try {
    linkDescriptor(first, directory, entry.name);
    return true;
  } catch (error) {
    // It has as many names as a file can have; another copy takes the rest.
    if (errnoOf(error) !== 'EMLINK') throw error;
    unlinkat(links(), linkName(entry.stat), 0);
    return false;
  } finally {
    closeSync(first);
  }
}

function keepForLinks({ links }: LayerCopyContext, made: number, stat: RawStat): void {
  linkDescriptor(made, links(), linkName(stat));
}

function withEntry(directory: number, name: ByteString, use: (fd: number) => void): void {
  const fd = openEntry(directory, name);
  if (fd === undefined) throw new SystemError('ENOENT', 'openat');
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
}
