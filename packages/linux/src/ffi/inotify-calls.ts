import { O_CLOEXEC, O_NONBLOCK } from './constants.ts';
import { descriptorPath } from './file-calls.ts';
import { check, checkUnless, declare } from './library.ts';
import { terminated } from './byte-string.ts';

// Safe, all of them: the path is a NUL-terminated Buffer that lives during the call and names one of
// our own descriptors; the read is told the size of the buffer that it fills.
const initCall = declare('int inotify_init1(int flags)');
const addCall = declare('int inotify_add_watch(int fd, void *path, uint32_t mask)');
const removeCall = declare('int inotify_rm_watch(int fd, int wd)');
const readCall = declare('long read(int fd, void *buffer, size_t size)');

// Values from include/uapi/linux/inotify.h.
export const IN_MODIFY = 0x2;
export const IN_ATTRIB = 0x4;
export const IN_CLOSE_WRITE = 0x8;
export const IN_MOVED_FROM = 0x40;
export const IN_MOVED_TO = 0x80;
export const IN_CREATE = 0x100;
export const IN_DELETE = 0x200;
export const IN_DELETE_SELF = 0x400;
export const IN_UNMOUNT = 0x2000;
export const IN_Q_OVERFLOW = 0x4000;
export const IN_IGNORED = 0x8000;
export const IN_ONLYDIR = 0x1000000;
export const IN_EXCL_UNLINK = 0x4000000;
export const IN_ISDIR = 0x40000000;

/** A new queue of events; the caller closes it. @throws SystemError EMFILE */
export function inotifyInit(): number {
  return check('inotify_init1', () => initCall(O_NONBLOCK | O_CLOEXEC));
}

/**
 * Watches the directory that a descriptor has open, and says by which number; the same number again
 * for a directory that is watched already.
 * @throws SystemError ENOSPC when the kernel has no more watches
 */
export function inotifyAddWatch(queue: number, directory: number, mask: number): number {
  const path = terminated(descriptorPath(directory));
  return check('inotify_add_watch', () => addCall(queue, path, mask));
}

/** No error when the kernel has taken the watch away. */
export function inotifyRemoveWatch(queue: number, watch: number): void {
  checkUnless('EINVAL', 'inotify_rm_watch', () => removeCall(queue, watch));
}

/** Fills `buffer` with whole struct inotify_event records; 0 when there are none. */
export function inotifyRead(queue: number, buffer: Buffer): number {
  return checkUnless('EAGAIN', 'read', () => readCall(queue, buffer, buffer.length)) ?? 0;
}
