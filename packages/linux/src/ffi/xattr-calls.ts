import { byteString, terminated } from './byte-string.ts';
import { checkUnless, declare } from './library.ts';

// Safe: the name is a NUL-terminated Buffer that lives during the call, and the kernel is told the
// size of the buffer that it fills.
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
