import { SandportFault } from './sandport-fault.ts';

/** An absolute path inside a sandbox, checked by {@link parseGuestPath}. Not yet resolved. */
export type GuestPath = string & { readonly __brand: 'GuestPath' };

/**
 * Longest path, in bytes. Linux takes 4,095 (PATH_MAX without the closing NUL), but on the host a
 * sandbox's root stands before it: what is written must be readable, too.
 */
export const maxPathBytes = 3900;
/** Longest file name that Linux takes, in bytes (NAME_MAX). */
export const maxNameBytes = 255;

const utf8 = new TextEncoder();

/**
 * Checks a path as a client sent it.
 * @throws SandportFault `invalid_path` when it is empty, relative, too long, holds a NUL byte or a
 * lone surrogate.
 */
export function parseGuestPath(path: string): GuestPath {
  const refuse = (why: string) =>
    new SandportFault('invalid_path', `The path ${JSON.stringify(clip(path))} ${why}.`, {
      path: clip(path),
    });
  if (path === '') throw refuse('is empty');
  if (path.includes('\0')) throw refuse('holds a NUL byte');
  if (!path.startsWith('/')) throw refuse('is not absolute; it must begin with /');
  if (!path.isWellFormed()) throw refuse('is not valid Unicode');
  if (utf8.encode(path).length > maxPathBytes) throw refuse(`is longer than ${maxPathBytes} bytes`);
  for (const name of path.split('/')) {
    if (name.length > maxNameBytes / 4 && utf8.encode(name).length > maxNameBytes)
      throw refuse(`has a name longer than ${maxNameBytes} bytes`);
  }
  return path as GuestPath;
}

const clip = (text: string) => (text.length > 200 ? `${text.slice(0, 200)}…` : text);
