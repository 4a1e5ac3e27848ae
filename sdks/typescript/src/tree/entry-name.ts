import { type Buffer, isUtf8 } from 'node:buffer';
import { UnsafeArchiveError } from '../errors/client-errors.ts';

/**
 * The name of an entry as a relative path without empty parts and `.`; '' is the root itself.
 * Undefined when it is not UTF-8, which a name in Node is.
 * @throws UnsafeArchiveError when it is absolute, has `..` or a NUL byte
 */
export function entryName(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  if (text.includes('\0')) throw new UnsafeArchiveError(text, 'has a NUL byte in its name');
  if (text.startsWith('/')) throw new UnsafeArchiveError(text, 'has an absolute name');
  if (!needsCleaning(text)) return isUtf8(bytes) ? text : undefined;
  const parts = text.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new UnsafeArchiveError(text, 'has a name with ".."');
  return isUtf8(bytes) ? parts.join('/') : undefined;
}

const needsCleaning = (text: string) => /(?:^|\/)\.{0,2}(?:\/|$)/.test(text);

/**
 * True for a link text that stays below the root, whatever the links on its way. `..` may only
 * stand at the front, where what it leaves are real directories: behind a name it may leave the
 * place that a link leads to.
 */
export function staysInside(linkPath: string, target: string): boolean {
  if (target.startsWith('/') || target === '') return false;
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const ups = parts.findIndex((part) => part !== '..');
  const leading = ups === -1 ? parts.length : ups;
  if (parts.slice(leading).includes('..')) return false;
  const depth = linkPath.split('/').length - 1;
  return leading <= depth;
}
