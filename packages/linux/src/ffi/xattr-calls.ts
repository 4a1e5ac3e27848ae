import { byteString, terminated } from './byte-string.ts';
import { descriptorPath } from './file-calls.ts';
import { check, checkUnless, declare } from './library.ts';

// Safe: names are NUL-terminated Buffers that live during the call, and the kernel is told the
// sizes of the buffers. Paths are the kernel's own links to open files.
const getCall = declare('long fgetxattr(int fd, void *name, void *value, size_t size)');

const value = Buffer.alloc(256);

/**
 * Text of an extended attribute of an open file, a character a byte; undefined when it has none.
 * @throws SystemError ERANGE when it is longer than 256 bytes
 */
export function extendedAttribute(fd: number, name: string): string | undefined {
  const key = terminated(byteString(name));
  const length = checkUnless('ENODATA', 'fgetxattr', () => getCall(fd, key, value, value.length));
  return length === undefined ? undefined : value.toString('latin1', 0, length);
}

const listCall = declare('long listxattr(void *path, void *list, size_t size)');
const getByPathCall = declare('long getxattr(void *path, void *name, void *value, size_t size)');
const setByPathCall = declare(
  'int setxattr(void *path, void *name, void *value, size_t size, int flags)',
);

/** The kernel's own bound on a list of names and on one value. */
const XATTR_BYTES = 65_536;
const names = Buffer.allocUnsafeSlow(XATTR_BYTES);
const bytes = Buffer.allocUnsafeSlow(XATTR_BYTES);

/**
 * Gives an open file the extended attributes of another one, all that the caller may see: access
 * lists, capabilities and the marks of overlay among them. Both may be O_PATH descriptors, of
 * symlinks and devices too.
 * @throws SystemError ENOSPC, E2BIG when the other file system has less room for them
 */
export function copyExtendedAttributes(from: number, to: number): void {
  const source = terminated(descriptorPath(from));
  const length = checkUnless('EOPNOTSUPP', 'listxattr', () =>
    listCall(source, names, names.length),
  );
  if (length === undefined || length === 0) return;
  const target = terminated(descriptorPath(to));
  for (let start = 0; start < length; ) {
    const end = names.indexOf(0, start) + 1;
    const name = names.subarray(start, end);
    start = end;
    // One that is gone meanwhile is left out.
    const size = checkUnless('ENODATA', 'getxattr', () =>
      getByPathCall(source, name, bytes, bytes.length),
    );
    if (size === undefined) continue;
    check('setxattr', () => setByPathCall(target, name, bytes, size, 0));
  }
}
