import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from '../../ffi/constants.ts';

export type EntryType =
  | 'file'
  | 'directory'
  | 'symlink'
  | 'fifo'
  | 'socket'
  | 'character_device'
  | 'block_device';

/** What a path is. All of it is the guest's word: times may be any number. */
export interface FileStat {
  readonly type: EntryType;
  /** Bytes; at most Number.MAX_SAFE_INTEGER. */
  readonly size: number;
  /** Permission, setuid, setgid and sticky bits: 0o0000-0o7777. */
  readonly mode: number;
  /** Ids inside the sandbox; 65534 when the owner has none there. */
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly ino: bigint;
  readonly nlink: number;
  /** Text of a symlink, decoded as UTF-8 with U+FFFD for what is not. */
  readonly symlinkTarget?: string;
  /** Validator of a regular file; listings leave it out. */
  readonly etag?: string;
}

/** The same with what only the host may know. */
export interface RawStat {
  readonly type: EntryType;
  readonly size: bigint;
  readonly mode: number;
  readonly hostUid: number;
  readonly hostGid: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** When the file was made; nobody can set it. 0 where the file system does not know. */
  readonly birthNs: bigint;
  readonly ino: bigint;
  readonly nlink: number;
  readonly device: string;
  /** Which device a device node is for, as `0:0`. */
  readonly deviceNumber: string;
  /** Whether it is what is mounted at its name. */
  readonly isMountPoint: boolean;
  /** What it takes on the disk. */
  readonly diskBytes: bigint;
}

const types: ReadonlyMap<number, EntryType> = new Map([
  [S_IFREG, 'file'],
  [S_IFDIR, 'directory'],
  [S_IFLNK, 'symlink'],
  [S_IFIFO, 'fifo'],
  [S_IFSOCK, 'socket'],
  [S_IFCHR, 'character_device'],
  [S_IFBLK, 'block_device'],
]);

const STATX_BTIME = 0x800;
const STATX_ATTR_MOUNT_ROOT = 0x2000;

function timeNs(statx: Buffer, offset: number): bigint {
  return statx.readBigInt64LE(offset) * 1_000_000_000n + BigInt(statx.readUInt32LE(offset + 8));
}

/** Reads struct statx (include/uapi/linux/stat.h). */
export function parseStatx(statx: Buffer): RawStat {
  const mode = statx.readUInt16LE(28);
  return {
    type: types.get(mode & S_IFMT) ?? 'character_device',
    size: statx.readBigUInt64LE(40),
    mode: mode & 0o7777,
    hostUid: statx.readUInt32LE(20),
    hostGid: statx.readUInt32LE(24),
    mtimeNs: timeNs(statx, 112),
    ctimeNs: timeNs(statx, 96),
    birthNs: (statx.readUInt32LE(0) & STATX_BTIME) === 0 ? 0n : timeNs(statx, 80),
    ino: statx.readBigUInt64LE(32),
    nlink: statx.readUInt32LE(16),
    device: `${statx.readUInt32LE(136).toString(16)}:${statx.readUInt32LE(140).toString(16)}`,
    deviceNumber: `${statx.readUInt32LE(128)}:${statx.readUInt32LE(132)}`,
    isMountPoint: (statx.readUInt32LE(8) & STATX_ATTR_MOUNT_ROOT) !== 0,
    diskBytes: statx.readBigUInt64LE(48) * 512n,
  };
}

/** Changes whenever the contents do: a quoted strong validator, as HTTP has it. */
export function etagOf(stat: RawStat): string {
  const parts = [stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].map((part) => part.toString(36));
  return `"${stat.device}-${parts.join('-')}"`;
}

/** The same for all names of one file, as long as the file exists. */
export const identityOf = (stat: RawStat): string => `${stat.device}:${stat.ino}`;
