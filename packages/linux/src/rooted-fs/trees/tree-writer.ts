import { closeSync, fchmodSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { type ByteString, byteString } from '../../ffi/byte-string.ts';
import { O_DIRECTORY, O_PATH, O_RDONLY } from '../../ffi/constants.ts';
import { withFileOwner } from '../../ffi/credential-calls.ts';
import {
  chownDescriptor,
  linkDescriptor,
  mkdirat,
  openEntry,
  openat,
  setModifiedTime,
  symlinkat,
} from '../../ffi/file-calls.ts';
import { errnoOf } from '../../ffi/system-error.ts';
import { DirectoryTimes } from './directory-times.ts';
import { parseEntryName, unsafe } from './entry-name.ts';
import { statDescriptor } from '../attributes/entry.ts';
import type { RawStat } from '../attributes/file-stat.ts';
import type { GuestOwner, IdMapping } from '../attributes/id-mapping.ts';
import { writeWhole } from '../descriptors/whole-transfers.ts';
import type { Creation } from '../entries/make-directory.ts';
import { MarkSet } from './mark-set.ts';
import { PendingBytes } from '../write/pending-bytes.ts';
import { placeEntry, placeFile } from '../entries/place-entry.ts';
import { type RootDirectory, joinPath } from '../paths/root-directory.ts';
import { Refusal, rootedFsErrorOf } from '../rooted-fs-error.ts';
import { createTemporaryFile, discard } from '../write/temporary-file.ts';
import { TreeDirectories, type TreeTop, openBeneath } from './tree-directories.ts';

/** What an entry of a tree gets. */
export interface TreeAttributes {
  /** 0o0000-0o7777. */
  readonly mode: number;
  readonly owner: GuestOwner;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  /** Of a file: whether a hard link to it may follow, for which it is kept in mind. @default true */
  readonly mayBeLinked?: boolean;
}

/** A file of a tree whose bytes come as a stream. Either `commit` or `abort` must be called. */
export interface PendingTreeFile {
  readonly stream: Writable;
  readonly bytesWritten: number;
  /** Lets `write` put the bytes into the file, instead of the stream. */
  fill(write: (fd: number) => Promise<void>): Promise<void>;
  /** After `stream` has finished: puts the file at its name. @throws RootedFsError */
  commit(): void;
  abort(): Promise<void>;
}

/**
 * Writes entries below one directory, while a guest may change all of it. None can land outside:
 * names with `..` and absolute ones are refused, and the kernel follows no symlink on their way.
 * Files and symlinks appear whole and replace files and symlinks; directories stay where they are.
 * All methods throw RootedFsError with the entry's name as its path.
 */
export class TreeWriter implements Disposable {
  readonly #root: RootDirectory;
  readonly #ids: IdMapping;
  readonly #top: TreeTop;
  readonly #parents: Creation;
  readonly #directories: TreeDirectories;
  readonly #times: DirectoryTimes;
  /** Files that were written, for hard links; by device. */
  readonly #written = new Map<string, MarkSet>();
  /** Whether files must be made under the ids of their owner. */
  #takesOwnIds = false;

  /** Takes over the descriptor of `top`. @param parents owner and mode of parents without an entry */
  constructor(root: RootDirectory, ids: IdMapping, top: TreeTop, parents: Creation) {
    this.#root = root;
    this.#ids = ids;
    this.#top = top;
    this.#parents = parents;
    this.#directories = new TreeDirectories(root, top.directory, parents);
    this.#times = new DirectoryTimes(top.directory.fd);
  }

  /** Makes a directory; one that is there gets the mode and the time, and its owner if `chown`. */
  directory(name: Buffer, attributes: TreeAttributes, options: { chown?: boolean } = {}): void {
    this.#about(name, () => {
      const place = this.#placeOf(name);
      if (place === undefined) {
        // One that was there before the tree is not the tree's.
        if (this.#top.isNew) this.#dressTop(attributes);
        return;
      }
      const { directory, base, path } = place;
      const creation = this.#creation(attributes);
      const isNew = makeDirectory(directory.fd, base, creation);
      const fd = openBeneath(directory.fd, base, O_RDONLY | O_DIRECTORY);
      if (fd === undefined) return; // Removed already.
      try {
        // Whoever put another owner's directory in its place does not get that one as his.
        const isOurs = isNew && statDescriptor(fd).hostUid === creation.hostUid;
        if (isOurs || options.chown === true) ensureOwner(fd, creation);
        fchmodSync(fd, attributes.mode);
      } finally {
        closeSync(fd);
      }
      this.#times.set(path, attributes.mtimeNs);
    });
  }

  /** Writes a small file, synchronously. */
  file(name: Buffer, attributes: TreeAttributes, contents: Uint8Array): void {
    this.#about(name, () => {
      const { directory, base } = this.#namedPlaceOf(name);
      const creation = this.#creation(attributes);
      this.#asOwner(creation, () => {
        const file = createTemporaryFile(directory.fd);
        try {
          writeWhole(file.fd, contents);
          this.#dress(file.fd, attributes, creation);
          placeFile(file, directory.fd, base);
        } finally {
          discard(file, directory.fd);
          closeSync(file.fd);
        }
      });
    });
  }

  /** Begins a file of any length. */
  beginFile(name: Buffer, attributes: TreeAttributes): PendingTreeFile {
    return this.#about(name, () => {
      const { directory, base } = this.#namedPlaceOf(name);
      const creation = this.#creation(attributes);
      const own = openat(directory.fd, '.' as ByteString, O_PATH | O_DIRECTORY);
      const target = { directory: own, name: base };
      let pending: PendingBytes;
      try {
        pending = new PendingBytes(target, creation, shownName(name));
      } catch (error) {
        closeSync(own);
        throw error;
      }
      return {
        stream: pending.stream,
        get bytesWritten() {
          return pending.bytesWritten;
        },
        fill: (write) => pending.fill(write),
        commit: () => this.#commit(name, pending, creation, attributes),
        abort: () => pending.abort(),
      };
    });
  }

  symlink(name: Buffer, attributes: TreeAttributes, target: Buffer): void {
    this.#about(name, () => {
      const { directory, base } = this.#namedPlaceOf(name);
      const { hostUid, hostGid } = this.#creation(attributes);
      const text = linkText(target);
      withFileOwner(hostUid, hostGid, () =>
        placeEntry(directory.fd, base, (free) => {
          symlinkat(text, directory.fd, free);
          dressSymlink(directory.fd, free, attributes.mtimeNs, { hostUid, hostGid });
        }),
      );
    });
  }

  /** A further name for a file that this writer has written. */
  hardLink(name: Buffer, existing: Buffer): void {
    this.#about(name, () => {
      const source = this.#openWritten(existing);
      try {
        const { directory, base } = this.#namedPlaceOf(name);
        // An id-mapped mount takes a new name only from somebody who has an id there.
        const { hostUid, hostGid } = this.#parents;
        withFileOwner(hostUid, hostGid, () =>
          placeEntry(directory.fd, base, (free) => linkDescriptor(source, directory.fd, free)),
        );
      } finally {
        closeSync(source);
      }
    });
  }

  /** Gives directories their times, which later entries have changed. */
  finish(): Promise<void> {
    return this.#times.apply();
  }

  [Symbol.dispose](): void {
    this.#directories[Symbol.dispose]();
  }

  /**
   * Makes a file, which is given to its owner as it is dressed. Taking on the owner's ids before
   * that costs ten calls, and is needed only where a mount with mapped ids takes nothing of ours.
   * @param make leaves nothing when it throws
   */
  #asOwner({ hostUid, hostGid }: HostOwner, make: () => void): void {
    if (!this.#takesOwnIds) {
      try {
        make();
        return;
      } catch (error) {
        if (!['EOVERFLOW', 'EINVAL'].includes(errnoOf(error) ?? '')) throw error;
        this.#takesOwnIds = true;
      }
    }
    withFileOwner(hostUid, hostGid, make);
  }

  #commit(
    name: Buffer,
    pending: PendingBytes,
    { hostUid, hostGid }: Creation,
    attributes: TreeAttributes,
  ): void {
    pending.take();
    try {
      const { temporary, target } = pending;
      this.#dress(temporary.fd, attributes, { hostUid, hostGid });
      withFileOwner(hostUid, hostGid, () => placeFile(temporary, target.directory, target.name));
    } catch (error) {
      throw rootedFsErrorOf(error, shownName(name));
    } finally {
      pending.end();
    }
  }

  #dress(fd: number, attributes: TreeAttributes, owner: HostOwner): void {
    const { mode, mtimeNs, mayBeLinked = true } = attributes;
    ensureOwner(fd, owner);
    fchmodSync(fd, mode);
    setModifiedTime(fd, mtimeNs);
    if (!mayBeLinked) return;
    const stat = statDescriptor(fd);
    const written = this.#written.get(stat.device) ?? new MarkSet();
    this.#written.set(stat.device, written);
    written.add(markOf(stat));
  }

  #dressTop({ mode, mtimeNs }: TreeAttributes): void {
    const fd = openat(this.#top.directory.fd, '.' as ByteString, O_RDONLY | O_DIRECTORY);
    try {
      fchmodSync(fd, mode);
    } finally {
      closeSync(fd);
    }
    this.#times.set('' as ByteString, mtimeNs);
  }

  /** O_PATH descriptor of a file that this writer has written; the caller closes it. */
  #openWritten(existing: Buffer): number {
    const { parent, name } = parseEntryName(existing);
    const directory = name === undefined ? undefined : this.#directories.find(parent);
    const fd = directory && name !== undefined ? openEntry(directory.fd, name) : undefined;
    if (fd === undefined) throw unsafe('it is a hard link to a file that is not there');
    const stat = statDescriptor(fd);
    const isOurs = this.#written.get(stat.device)?.has(markOf(stat)) === true;
    if (stat.type === 'file' && isOurs) return fd;
    closeSync(fd);
    throw unsafe('it is a hard link to a file that the archive did not bring');
  }

  #creation({ owner, mode }: TreeAttributes): Creation {
    const hostUid = this.#ids.toHost(owner.uid);
    return { hostUid, hostGid: this.#ids.toHost(owner.gid), mode };
  }

  /** Undefined: the top directory itself. */
  #placeOf(bytes: Buffer) {
    const { parent, name } = parseEntryName(bytes);
    if (name === undefined) return undefined;
    const directory = this.#directories.open(parent);
    this.#root.refuseHidden(joinPath(directory.path, [name]));
    const path = parent === '' ? name : (`${parent}/${name}` as ByteString); // Both are bytes.
    return { directory, base: name, path };
  }

  #namedPlaceOf(bytes: Buffer) {
    const place = this.#placeOf(bytes);
    if (place === undefined) throw unsafe('it has no name');
    return place;
  }

  #about<Result>(name: Buffer, action: () => Result): Result {
    try {
      return action();
    } catch (error) {
      throw rootedFsErrorOf(error, shownName(name));
    }
  }
}

type HostOwner = Pick<Creation, 'hostUid' | 'hostGid'>;

/** What is made in a directory with the set-group-id bit has got the group of that. */
function ensureOwner(fd: number, { hostUid, hostGid }: HostOwner): void {
  const stat = statDescriptor(fd);
  if (stat.hostUid !== hostUid || stat.hostGid !== hostGid) chownDescriptor(fd, hostUid, hostGid);
}

/** True when it was not there. @throws SystemError */
function makeDirectory(parent: number, name: ByteString, creation: Creation): boolean {
  try {
    withFileOwner(creation.hostUid, creation.hostGid, () => mkdirat(parent, name, 0o700));
    return true;
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    return false;
  }
}

/** Sets owner and time of the entry itself, as long as it is there. */
function dressSymlink(
  directory: number,
  name: ByteString,
  mtimeNs: bigint,
  owner: HostOwner,
): void {
  const fd = openEntry(directory, name);
  if (fd === undefined) return;
  try {
    ensureOwner(fd, owner);
    setModifiedTime(fd, mtimeNs);
  } finally {
    closeSync(fd);
  }
}

function linkText(target: Buffer): ByteString {
  const text = target.toString('latin1');
  const isText = text !== '' && text.length < 4096 && !text.includes('\0');
  if (!isText) throw new Refusal('invalid_path', { reason: 'the text of the link is not valid' });
  return byteString(text);
}

/** Tells files of one device apart, also one that got the inode of another that was removed. */
const markOf = ({ ino, birthNs }: RawStat): bigint =>
  BigInt.asUintN(64, (ino * 0x9e3779b97f4a7c15n) ^ birthNs) || 1n;

const shownName = (name: Buffer): string => name.toString('utf8');
