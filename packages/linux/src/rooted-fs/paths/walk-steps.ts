import { closeSync } from 'node:fs';
import type { ByteString } from '../../ffi/byte-string.ts';
import { O_DIRECTORY, O_NOFOLLOW, O_PATH } from '../../ffi/constants.ts';
import { openat, readlinkat, reopen } from '../../ffi/file-calls.ts';
import { SystemError } from '../../ffi/system-error.ts';
import { statDescriptor } from '../attributes/entry.ts';
import { MAX_SYMLINKS, componentsOf } from './guest-path.ts';

/** Descriptors that one walk may hold. */
const MAX_DEPTH = 256;

/**
 * Resolves a path below `root` as openat2 does with RESOLVE_IN_ROOT, one name at a time. Slower, but
 * no rename elsewhere on the machine can make it fail. Stays inside: every step opens one name,
 * without following it, in a directory that was reached in the same way, and `..` goes back to the
 * directory the walk came from.
 * @param flags with O_PATH or O_DIRECTORY, as for openat2 @throws SystemError
 */
export function walkSteps(root: number, path: ByteString, flags: number): number {
  const stack: number[] = [];
  try {
    const fd = walk(root, stack, path, (flags & O_NOFOLLOW) !== 0);
    if (fd !== undefined) stack.push(fd);
    const last = stack.at(-1) ?? root;
    const isDirectory = fd === undefined;
    if (!isDirectory && (flags & O_DIRECTORY) !== 0) throw new SystemError('ENOTDIR', 'openat');
    if (isDirectory) return openat(last, '.' as ByteString, flags & ~O_NOFOLLOW);
    if ((flags & O_PATH) === 0) return reopen(last, flags);
    return stack.pop() ?? last;
  } finally {
    for (const fd of stack) closeSync(fd);
  }
}

/** Leaves the directories it came through on the stack; returns what is at the end, if no directory. */
function walk(
  root: number,
  stack: number[],
  path: ByteString,
  keepLast: boolean,
): number | undefined {
  const pending = componentsOf(path);
  let mustBeDirectory = path.endsWith('/');
  let symlinks = 0;
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (name === '.') continue;
    if (name === '..') {
      closeAll(stack, stack.length - 1);
      continue;
    }
    if (stack.length >= MAX_DEPTH) throw new SystemError('EAGAIN', 'openat');
    const fd = openat(stack.at(-1) ?? root, name, O_PATH | O_NOFOLLOW);
    const { type } = statOrClose(fd);
    if (type === 'directory') {
      stack.push(fd);
      continue;
    }
    const isLast = pending.length === 0;
    if (type !== 'symlink' || (isLast && keepLast && !mustBeDirectory)) {
      if (isLast && !mustBeDirectory) return fd;
      closeSync(fd);
      throw new SystemError('ENOTDIR', 'openat');
    }
    const target = readAndClose(fd);
    if (++symlinks > MAX_SYMLINKS) throw new SystemError('ELOOP', 'openat');
    if (target.startsWith('/')) closeAll(stack, 0);
    if (isLast && target.endsWith('/')) mustBeDirectory = true;
    pending.unshift(...componentsOf(target));
  }
  return undefined;
}

function statOrClose(fd: number): ReturnType<typeof statDescriptor> {
  try {
    return statDescriptor(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function readAndClose(fd: number): ByteString {
  try {
    return readlinkat(fd, '' as ByteString);
  } finally {
    closeSync(fd);
  }
}

/** Closes all but the first `keep` descriptors. */
function closeAll(stack: number[], keep: number): void {
  for (const fd of stack.splice(Math.max(0, keep))) closeSync(fd);
}
