import type { SandboxFiles } from '@sandport/driver';
import { type GuestPath, parseGuestPath, SandportFault } from '@sandport/protocol';

/** Where paths of clients are resolved. */
export interface PathPlace {
  readonly files: SandboxFiles;
  /** Home directory of the sandbox's user, absolute. */
  readonly home: string;
}

/**
 * First names of paths that some clients send without the leading slash, although they were
 * absolute.
 */
const rootNames: ReadonlySet<string> = new Set(['workspace', 'tmp', 'mnt']);

/**
 * The file that a client means when it writes. An absolute path is that path. A relative one begins
 * in the home directory, but for two kinds that were absolute before a client cut the slash off:
 * those that begin with the home directory's own path, always, and those below `workspace`, `tmp`
 * and `mnt` when the home directory has no entry of that name.
 * @throws SandportFault `invalid_path`
 */
export async function pathToWrite(path: string, place: PathPlace): Promise<GuestPath> {
  return (await resolve(path, place)).path;
}

/**
 * The same for what is there already: a relative path that is not there below the home directory,
 * but is there from the root, is that one.
 * @throws SandportFault `invalid_path`
 */
export async function pathToRead(path: string, place: PathPlace): Promise<GuestPath> {
  const resolved = await resolve(path, place);
  if (resolved.fromRoot || (await isThere(resolved.path, place.files))) return resolved.path;
  const other = parseGuestPath(`/${withoutDots(path)}`);
  return (await isThere(other, place.files)) ? other : resolved.path;
}

/**
 * The path behind a prefix of a request target, percent-encoding undone once.
 * @throws SandportFault `invalid_path` when it is not UTF-8
 */
export function decodePath(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new SandportFault(
      'invalid_path',
      `The path ${JSON.stringify(encoded.slice(0, 200))} is not percent-encoded UTF-8.`,
      { path: encoded.slice(0, 200) },
    );
  }
}

async function resolve(
  path: string,
  { files, home }: PathPlace,
): Promise<{ path: GuestPath; fromRoot: boolean }> {
  if (path.startsWith('/')) return { path: parseGuestPath(path), fromRoot: true };
  const relative = withoutDots(path);
  if (relative === '') return { path: parseGuestPath(home), fromRoot: true };
  const fromHome = parseGuestPath(`${home === '/' ? '' : home}/${relative}`);
  const absolute = () => ({ path: parseGuestPath(`/${relative}`), fromRoot: true });
  if (`/${relative}/`.startsWith(home.endsWith('/') ? home : `${home}/`)) return absolute();
  const [first = ''] = relative.split('/', 1);
  if (rootNames.has(first)) {
    const own = parseGuestPath(`${home === '/' ? '' : home}/${first}`);
    if (!(await isThere(own, files))) return absolute();
  }
  return { path: fromHome, fromRoot: false };
}

/** Without `./` at its beginning; empty for the directory itself. */
const withoutDots = (path: string): string => path.replace(/^(?:\.(?:\/+|$))+/, '');

/** A link counts, whatever it leads to. */
async function isThere(path: GuestPath, files: SandboxFiles): Promise<boolean> {
  try {
    await files.stat(path, { followSymlinks: false });
    return true;
  } catch (error) {
    if (error instanceof SandportFault) return false;
    throw error;
  }
}
