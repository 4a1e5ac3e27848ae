import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
  FALLOC_FL_KEEP_SIZE,
  O_CLOEXEC,
  O_NOFOLLOW,
  O_PATH,
} from './constants.ts';
import { check, checkPresent, declare, systemCallNumbers } from './library.ts';
import { type ByteString, terminated } from './byte-string.ts';
import { SystemError } from './system-error.ts';

// Safe, all of them: every pointer is a Buffer that lives during the call, strings are
// NUL-terminated, and the sizes the kernel is told are the sizes of the buffers. A variadic
// argument is declared as what it is: Linux passes it in the same register.
const openat2Call = declare('long syscall(long nr, int dirfd, void *path, void *how, size_t size)');
const statxCall = declare(
  'long syscall(long nr, int dirfd, void *path, int flags, uint32_t mask, void *buffer)',
);
const openatCall = declare('int openat(int dirfd, void *path, int flags, uint32_t mode)');
const readlinkatCall = declare('long readlinkat(int dirfd, void *path, void *out, size_t size)');
const mkdiratCall = declare('int mkdirat(int dirfd, void *path, uint32_t mode)');
const unlinkatCall = declare('int unlinkat(int dirfd, void *path, int flags)');
const linkatCall = declare('int linkat(int fromDir, void *from, int toDir, void *to, int flags)');
const renameat2Call = declare(
  'int renameat2(int fromDir, void *from, int toDir, void *to, uint32_t flags)',
);
const symlinkatCall = declare('int symlinkat(void *target, int dirfd, void *path)');
const fchownatCall = declare(
  'int fchownat(int dirfd, void *path, uint32_t uid, uint32_t gid, int flags)',
);
const utimensatCall = declare('int utimensat(int dirfd, void *path, void *times, int flags)');
const fallocateCall = declare('int fallocate(int fd, int mode, int64_t offset, int64_t length)');
const copyFileRangeCall = declare(
  'long copy_file_range(int from, void *fromOffset, int to, void *toOffset, size_t size, uint32_t flags)',
);
const lseekCall = declare('int64_t lseek(int fd, int64_t offset, int whence)');
const fstatfsCall = declare('int fstatfs(int fd, void *buffer)');
const getdentsCall = declare('long getdents64(int fd, void *buffer, size_t size)');
const ioctlCall = declare('int ioctl(int fd, unsigned long request, void *argument)');
const ioctlNumber = declare('int ioctl(int fd, unsigned long request, long argument)');

const openHow = Buffer.alloc(24);

/** Opens `path` below `dirfd`; O_CLOEXEC is always set. `resolve` is a set of RESOLVE flags. */
export function openat2(dirfd: number, path: ByteString, flags: number, resolve: number): number {
  // A 32-bit view of struct open_how { u64 flags, mode, resolve }; all values fit the low halves.
  openHow.writeUInt32LE((flags | O_CLOEXEC) >>> 0, 0);
  openHow.writeUInt32LE(resolve, 16);
  const name = terminated(path);
  return check('openat2', () =>
    openat2Call(systemCallNumbers.openat2, dirfd, name, openHow, openHow.length),
  );
}

/** Opens one name below `dirfd`, or a trusted path; O_CLOEXEC is always set. */
export function openat(dirfd: number, path: ByteString, flags: number, mode = 0): number {
  const name = terminated(path);
  return check('openat', () => openatCall(dirfd, name, flags | O_CLOEXEC, mode));
}

/** Opens one name with O_PATH, a symlink itself; undefined when there is none. */
export function openEntry(dirfd: number, name: ByteString): number | undefined {
  const path = terminated(name);
  const flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  return checkPresent('openat', () => openatCall(dirfd, path, flags, 0));
}

/** Opens the same file once more with other flags. `fd` may be an O_PATH descriptor. */
export function reopen(fd: number, flags: number): number {
  return openat(AT_FDCWD, descriptorPath(fd), flags);
}

/** The kernel's name for an open file, as a path: a link that no guest can change. */
export function descriptorPath(fd: number): ByteString {
  return `/proc/self/fd/${fd}` as ByteString; // ASCII without NUL.
}

const linkBuffer = Buffer.alloc(4096);

/** Text of a symlink; with an empty name that of the O_PATH descriptor itself. */
export function readlinkat(dirfd: number, name: ByteString): ByteString {
  const path = terminated(name);
  const length = check('readlinkat', () => readlinkatCall(dirfd, path, linkBuffer, 4096));
  return linkBuffer.toString('latin1', 0, length) as ByteString; // The kernel's paths hold no NUL.
}

export function mkdirat(dirfd: number, name: ByteString, mode: number): void {
  const path = terminated(name);
  check('mkdirat', () => mkdiratCall(dirfd, path, mode));
}

/** @param flags 0 or AT_REMOVEDIR */
export function unlinkat(dirfd: number, name: ByteString, flags: number): void {
  const path = terminated(name);
  check('unlinkat', () => unlinkatCall(dirfd, path, flags));
}

/** Gives an open file (O_TMPFILE ones too) a name that must be free. */
export function linkDescriptor(fd: number, toDirectory: number, name: ByteString): void {
  const from = terminated(descriptorPath(fd));
  const to = terminated(name);
  check('linkat', () => linkatCall(AT_FDCWD, from, toDirectory, to, AT_SYMLINK_FOLLOW));
}

/** @param flags 0, RENAME_NOREPLACE or RENAME_EXCHANGE */
export function renameat2(
  fromDirectory: number,
  from: ByteString,
  toDirectory: number,
  to: ByteString,
  flags = 0,
): void {
  const source = terminated(from);
  const target = terminated(to);
  check('renameat2', () => renameat2Call(fromDirectory, source, toDirectory, target, flags));
}

/** Makes a symlink at a name that must be free. */
export function symlinkat(target: ByteString, directory: number, name: ByteString): void {
  const text = terminated(target);
  const path = terminated(name);
  check('symlinkat', () => symlinkatCall(text, directory, path));
}

const mknodatCall = declare(
  'long syscall(long nr, int dirfd, void *path, uint32_t mode, uint32_t device)',
);

/**
 * Makes a FIFO, a socket or a device node at a name that must be free.
 * @param mode type and permission bits; the process's umask applies
 */
export function mknodat(
  dirfd: number,
  name: ByteString,
  mode: number,
  device: { readonly major: number; readonly minor: number },
): void {
  const path = terminated(name);
  // As new_encode_dev of the kernel (include/linux/kdev_t.h).
  const { major, minor } = device;
  const number = (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
  check('mknodat', () => mknodatCall(systemCallNumbers.mknodat, dirfd, path, mode, number >>> 0));
}

const KEEP_ID = 0xffffffff;
const ITSELF = terminated('');

/** Sets owner and group of an open file, a symlink itself too; `fd` may be an O_PATH descriptor. */
export function chownDescriptor(fd: number, uid: number = KEEP_ID, gid: number = KEEP_ID): void {
  check('fchownat', () => fchownatCall(fd, ITSELF, uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
}

/** Two struct timespec: the time of the last access, which stays, and that of the last change. */
const timesBuffer = Buffer.alloc(32);
const UTIME_OMIT = 0x3ffffffen;
const NS_PER_SECOND = 1_000_000_000n;
const MAX_SECONDS = 2n ** 63n - 1n;

/** Sets the time of the last change, nanoseconds since 1970; `fd` may be an O_PATH descriptor. */
export function setModifiedTime(fd: number, timeNs: bigint): void {
  const nanoseconds = ((timeNs % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  const seconds = (timeNs - nanoseconds) / NS_PER_SECOND;
  if (seconds > MAX_SECONDS || seconds < -MAX_SECONDS) throw new SystemError('EINVAL', 'utimensat');
  timesBuffer.writeBigInt64LE(UTIME_OMIT, 8);
  timesBuffer.writeBigInt64LE(seconds, 16);
  timesBuffer.writeBigInt64LE(nanoseconds, 24);
  const flags = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;
  check('utimensat', () => utimensatCall(fd, ITSELF, timesBuffer, flags));
}

/** Reserves room on the disk for bytes of a file whose size stays as it is. */
export function reserveSpace(fd: number, offset: number, lengthBytes: number): void {
  check('fallocate', () => fallocateCall(fd, FALLOC_FL_KEEP_SIZE, offset, lengthBytes));
}

/** Where the next data (or hole) begins at or after `offset`; ENXIO behind the last. */
export function seekFile(fd: number, offset: number, whence: number): number {
  return check('lseek', () => lseekCall(fd, offset, whence));
}

const fromOffset = Buffer.alloc(8);
const toOffset = Buffer.alloc(8);

/** Copies bytes at `position` of one file to the same place in another, inside the kernel; how many. */
export function copyRange(from: number, to: number, position: number, lengthBytes: number): number {
  // Safe: the kernel reads and writes one 64-bit number in each buffer.
  fromOffset.writeBigInt64LE(BigInt(position), 0);
  toOffset.writeBigInt64LE(BigInt(position), 0);
  return check('copy_file_range', () =>
    copyFileRangeCall(from, fromOffset, to, toOffset, lengthBytes, 0),
  );
}

const FICLONE = 0x40049409;

/** Lets `to` share all blocks of `from`, where the file system can. */
export function cloneFile(from: number, to: number): void {
  // Safe: the argument is a descriptor's number, which the kernel reads as an integer.
  check('ioctl', () => ioctlNumber(to, FICLONE, from));
}

/** Larger than struct statfs on every machine. */
const statfsBuffer = Buffer.alloc(256);

/** The magic number of the file system an open file is on. */
export function fileSystemMagic(fd: number): number {
  check('fstatfs', () => fstatfsCall(fd, statfsBuffer));
  return statfsBuffer.readUInt32LE(0);
}

/** Fills `buffer` with struct linux_dirent64 records; 0 at the end of the directory. */
export function getdents(fd: number, buffer: Buffer): number {
  return check('getdents64', () => getdentsCall(fd, buffer, buffer.length));
}

const statxBuffer = Buffer.alloc(256);
const STATX_BASIC_STATS_AND_BTIME = 0xfff;

/**
 * Calls statx on one name (or, when it is empty, on `fd` itself); never follows a symlink.
 * Undefined when there is no such name. The buffer is good until the next call.
 */
export function statx(fd: number, name: ByteString): Buffer | undefined {
  const path = terminated(name);
  const flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
  const result = checkPresent('statx', () =>
    statxCall(systemCallNumbers.statx, fd, path, flags, STATX_BASIC_STATS_AND_BTIME, statxBuffer),
  );
  return result === undefined ? undefined : statxBuffer;
}

const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
const FS_APPEND_AND_IMMUTABLE = 0x20 | 0x10;
const flagsBuffer = Buffer.alloc(8);

/** Clears the immutable and append-only flags of an open file. True when there was one. */
export function clearProtection(fd: number): boolean {
  // Safe: both requests move an int; the buffer has room for a long.
  check('ioctl', () => ioctlCall(fd, FS_IOC_GETFLAGS, flagsBuffer));
  const flags = flagsBuffer.readUInt32LE(0);
  if ((flags & FS_APPEND_AND_IMMUTABLE) === 0) return false;
  flagsBuffer.writeUInt32LE((flags & ~FS_APPEND_AND_IMMUTABLE) >>> 0, 0);
  check('ioctl', () => ioctlCall(fd, FS_IOC_SETFLAGS, flagsBuffer));
  return true;
}
