import { closeSync, readlinkSync } from 'node:fs';
import { type ByteString, byteString, hostPath } from '../../ffi/byte-string.ts';
import {
  AT_FDCWD,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
} from '../../ffi/constants.ts';
import { descriptorPath, openat, openat2, readlinkat } from '../../ffi/file-calls.ts';
import { SystemError, errnoOf } from '../../ffi/system-error.ts';
import { statEntry } from '../attributes/entry.ts';
import { MAX_SYMLINKS, componentsOf, isWithin } from './guest-path.ts';
import { Refusal } from '../rooted-fs-error.ts';
import { isServedFileSystem } from './served-file-systems.ts';
import { walkSteps } from './walk-steps.ts';

/**
 * The kernel gives a `..` up (EAGAIN) when anything on the machine is renamed meanwhile, which a
 * guest can make happen all the time. After some attempts the path is walked name by name. A test
 * sets 0 to walk always.
 */
export const resolution = { maxAttempts: 16 };

/** How often a path may change while it is looked at before we give up. */
const MAX_RACES = 128;

/** Where a path leads whose end does not exist. */
export interface MissingPath {
  /** O_PATH descriptor of the deepest directory that exists; the caller closes it. */
  readonly directory: number;
  /** Normal path of that directory inside the root. */
  readonly directoryPath: ByteString;
  /** What is missing below it: at least one component, symlinks already followed. */
  readonly missing: readonly ByteString[];
}

/**
 * The directory that is `/` for a guest. Every path is resolved by the kernel with this directory
 * as the root, so that no symlink, no `..` and no race leads out of it.
 */
export class RootDirectory {
  readonly #hiddenAreas: readonly ByteString[];
  #fd: number;
  #realPath: string;

  /** @param directory trusted path on the host @param hiddenAreas normal absolute paths inside */
  constructor(directory: string, hiddenAreas: readonly string[]) {
    this.#hiddenAreas = hiddenAreas.map(hostPath);
    this.#fd = openat(AT_FDCWD, hostPath(directory), O_PATH | O_DIRECTORY);
    this.#realPath = realPathOf(this.#fd);
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  /**
   * Opens what `path` leads to. `flags` must not be able to act on a FIFO or a device: O_PATH or
   * O_DIRECTORY is among them.
   * @throws SystemError, Refusal `not_a_regular_file` below a hidden area or on a kernel interface
   */
  open(path: ByteString, flags: number): number {
    return this.openAt(path, flags).fd;
  }

  /** The same, with the normal path inside the root that it led to. */
  openAt(path: ByteString, flags: number): { readonly fd: number; readonly path: ByteString } {
    let fd: number;
    try {
      fd = this.#resolve(path, flags);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'ENOENT') this.#refuseMissingInHiddenArea(path);
      if (errno === 'ENOTDIR') this.#refuseFileInHiddenArea(path);
      throw error;
    }
    try {
      return { fd, path: this.#checkServed(fd) };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /**
   * Normal path of an open file inside the root, by the kernel's own account: of one that was
   * deleted, its last path with ` (deleted)` behind it.
   * @throws SystemError ENOENT when it is not inside (the host moved it)
   */
  pathOf(fd: number): ByteString {
    const path = realPathOf(fd);
    if (!isWithin(path, this.#realPath)) {
      this.#realPath = realPathOf(this.#fd); // The host may have moved the root itself.
      if (!isWithin(path, this.#realPath)) throw new SystemError('ENOENT', 'readlink');
    }
    const relative = this.#realPath === '/' ? path : path.slice(this.#realPath.length);
    return byteString(relative === '' ? '/' : relative);
  }

  /** Path on the host of something inside: to compare with mount points, never to open. */
  hostPathOf(path: ByteString): string {
    return this.#realPath === '/' ? path : `${this.#realPath}${path === '/' ? '' : path}`;
  }

  isHiddenArea(path: ByteString): boolean {
    return this.#hiddenAreas.includes(path);
  }

  /** @throws Refusal `not_a_regular_file` when `path` is a hidden area or below one */
  refuseHidden(path: ByteString): void {
    if (this.#hiddenAreas.some((area) => isWithin(path, area))) throw hiddenRefusal();
  }

  /**
   * The same, but lets the areas themselves pass, which are plain directories here.
   * @throws Refusal `not_a_regular_file`
   */
  refuseBelowHidden(path: ByteString): void {
    if (!this.isHiddenArea(path)) this.refuseHidden(path);
  }

  /** Hidden areas that exist below `path`. */
  hiddenAreasBelow(path: ByteString): ByteString[] {
    return this.#hiddenAreas.filter((area) => {
      if (area === path || !isWithin(area, path)) return false;
      try {
        closeSync(this.#resolve(area, O_PATH | O_NOFOLLOW));
        return true;
      } catch {
        return false;
      }
    });
  }

  /**
   * Follows a path as far as it exists. Undefined when all of it does.
   * @throws SystemError ENOTDIR, ELOOP, ENAMETOOLONG; EAGAIN when it changes faster than it is read
   */
  locateMissing(path: ByteString): MissingPath | undefined {
    let current = path;
    let symlinks = 0;
    for (let attempt = 0; attempt < MAX_RACES; attempt++) {
      const directory = this.#deepestDirectory(current);
      if (directory === undefined) return undefined;
      let keep = false;
      try {
        const directoryPath = this.pathOf(directory.fd);
        const [next, ...rest] = directory.missing;
        if (next === undefined) return undefined;
        const entry = statEntry(directory.fd, next);
        if (entry === undefined) {
          keep = true;
          return { directory: directory.fd, directoryPath, missing: directory.missing };
        }
        if (entry.type !== 'symlink') continue; // It came up meanwhile.
        if (++symlinks > MAX_SYMLINKS) throw new SystemError('ELOOP', 'openat2');
        current = joinTarget(directoryPath, readlinkat(directory.fd, next), rest);
        attempt = 0;
      } catch (error) {
        if (errnoOf(error) !== 'EINVAL') throw error; // A symlink that became something else.
      } finally {
        if (!keep) closeSync(directory.fd);
      }
    }
    throw new SystemError('EAGAIN', 'openat2');
  }

  #resolve(path: ByteString, flags: number): number {
    if (this.#fd < 0) throw new SystemError('EBADF', 'openat2');
    for (let attempt = 0; attempt < resolution.maxAttempts; attempt++) {
      try {
        return openat2(this.#fd, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
      } catch (error) {
        if (errnoOf(error) !== 'EAGAIN') throw error;
      }
    }
    return walkSteps(this.#fd, path, flags);
  }

  #checkServed(fd: number): ByteString {
    const path = this.pathOf(fd);
    this.refuseBelowHidden(path);
    if (!isServedFileSystem(fd)) {
      throw new Refusal('not_a_regular_file', {
        reason: 'files of this file system are not served',
      });
    }
    return path;
  }

  #refuseMissingInHiddenArea(path: ByteString): void {
    const located = this.locateMissing(path);
    if (located === undefined) return;
    closeSync(located.directory);
    this.refuseHidden(joinPath(located.directoryPath, located.missing));
  }

  /** For a path that runs through a file, or ends at one where a directory is wanted. */
  #refuseFileInHiddenArea(path: ByteString): void {
    const components = componentsOf(path);
    for (let count = components.length; count >= 0; count--) {
      try {
        const fd = this.#resolve(byteString(`/${components.slice(0, count).join('/')}`), O_PATH);
        try {
          this.refuseBelowHidden(this.pathOf(fd));
        } finally {
          closeSync(fd);
        }
        return;
      } catch (error) {
        if (errnoOf(error) !== 'ENOTDIR') throw error;
      }
    }
  }

  /** The longest prefix of `path` that is a directory; undefined when the whole path exists. */
  #deepestDirectory(path: ByteString): { fd: number; missing: ByteString[] } | undefined {
    const components = componentsOf(path);
    const prefixOf = (count: number) => byteString(`/${components.slice(0, count).join('/')}`);
    const whole = this.#resolveIfThere(prefixOf(components.length), O_PATH);
    if (whole !== undefined) {
      closeSync(whole);
      return undefined;
    }
    // A prefix exists when a longer one does, so it is found by halving.
    let deepest = this.#resolve('/' as ByteString, O_PATH | O_DIRECTORY);
    let existing = 0;
    try {
      for (let missing = components.length; missing - existing > 1; ) {
        const count = (existing + missing) >> 1;
        const fd = this.#resolveIfThere(prefixOf(count), O_PATH | O_DIRECTORY);
        if (fd === undefined) missing = count;
        else {
          closeSync(deepest);
          deepest = fd;
          existing = count;
        }
      }
      return { fd: deepest, missing: components.slice(existing) };
    } catch (error) {
      closeSync(deepest);
      throw error;
    }
  }

  #resolveIfThere(path: ByteString, flags: number): number | undefined {
    try {
      return this.#resolve(path, flags);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      return undefined;
    }
  }
}

function hiddenRefusal(): Refusal {
  return new Refusal('not_a_regular_file', {
    reason: "this area belongs to the sandbox's kernel and is not served",
  });
}

/** The kernel's path of an open file, a character a byte. */
function realPathOf(fd: number): string {
  return readlinkSync(descriptorPath(fd), 'latin1');
}

export function joinPath(directory: ByteString, names: readonly ByteString[]): ByteString {
  const tail = names.join('/');
  return byteString(
    directory === '/' ? `/${tail}` : tail === '' ? directory : `${directory}/${tail}`,
  );
}

/** The path that a symlink in `directory` leads to, with what follows it. */
export function joinTarget(
  directory: ByteString,
  target: ByteString,
  rest: readonly ByteString[],
): ByteString {
  const start = target.startsWith('/') ? target : joinPath(directory, [target]);
  return rest.length === 0 ? start : joinPath(byteString(start.replace(/\/+$/, '') || '/'), rest);
}
