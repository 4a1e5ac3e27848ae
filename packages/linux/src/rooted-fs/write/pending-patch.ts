import { close, closeSync, ftruncateSync, open } from 'node:fs';
import { promisify } from 'node:util';
import { O_APPEND, O_NOCTTY, O_NONBLOCK, O_RDONLY, O_WRONLY } from '../../ffi/constants.ts';
import { withFileOwner } from '../../ffi/credential-calls.ts';
import { descriptorPath, openEntry, reopen, reserveSpace } from '../../ffi/file-calls.ts';
import { errnoOf } from '../../ffi/system-error.ts';
import type { BegunWrite } from './begin-write.ts';
import { copyBytes } from '../copy/copy-bytes.ts';
import { statDescriptor, statEntry } from '../attributes/entry.ts';
import { modeAfterWrite, setAttributes } from '../attributes/file-attributes.ts';
import { etagOf, identityOf } from '../attributes/file-stat.ts';
import { flushDirectories, flushFile } from '../descriptors/flush.ts';
import { KeyedLock } from './keyed-lock.ts';
import { type Committed, PendingWrite } from './pending-write.ts';
import { checkPrecondition, putWhereNothingIs } from './put-in-place.ts';
import { Refusal, rootedFsErrorOf } from '../rooted-fs-error.ts';
import { createTemporaryFile, discard } from './temporary-file.ts';

const openInPool = promisify(open);
const closeInPool = promisify(close);

/** How often another file may take the name before we give up. */
const MAX_RACES = 64;

/** One change of a file at a time, whichever of its names it is reached by. */
const files = new KeyedLock();

/**
 * Bytes to be put into a file that is there. They are collected first; `commit` puts them in place
 * while no other patch of the file runs. Room for them is reserved before the first one is written,
 * so that a full disk leaves the file as it was. A program in the guest can see a part of them while
 * they are written; a process that is killed then leaves the first of them.
 */
export class PendingPatch extends PendingWrite {
  readonly #offset: number | undefined;

  /**
   * Takes over `target.directory`.
   * @param offset place of the first byte; undefined: the end of the file @throws SystemError
   */
  constructor(begun: BegunWrite, path: string, offset: number | undefined) {
    super(begun, path);
    this.#offset = offset;
  }

  /**
   * Puts the bytes into the file, which is made when it is missing; `stream` must have finished.
   * @param options.durable resolves when the disk has them; false
   * @throws RootedFsError `is_directory`, `not_a_regular_file`, `disk_full`, `precondition_failed`,
   * `file_too_large`, `busy` when the name leads to one file after another
   */
  async commit({ durable = false }: { readonly durable?: boolean } = {}): Promise<Committed> {
    this.pending.take();
    const { directory } = this.pending.target;
    try {
      const committed = await this.#apply(durable);
      if (durable) await flushDirectories(this.root, directory);
      return committed;
    } catch (error) {
      throw rootedFsErrorOf(error, this.path);
    } finally {
      this.pending.end();
    }
  }

  async #apply(durable: boolean): Promise<Committed> {
    const { directory, name } = this.pending.target;
    for (let attempt = 0; attempt < MAX_RACES; attempt++) {
      const handle = openEntry(directory, name);
      try {
        const committed =
          handle === undefined ? await this.#create(durable) : await this.#change(handle, durable);
        if (committed !== undefined) return committed;
      } finally {
        if (handle !== undefined) closeSync(handle);
      }
    }
    throw new Refusal('busy', { errno: 'EAGAIN' });
  }

  /** Makes a file of the bytes; undefined when one came up meanwhile. */
  async #create(durable: boolean): Promise<Committed | undefined> {
    checkPrecondition(this.plan, undefined);
    const { temporary, target, bytesWritten } = this.pending;
    const offset = this.#offset ?? 0;
    const { hostUid, hostGid } = this.plan.creation;
    // At the right place, behind zeros that take no room on the disk.
    const file =
      offset === 0
        ? temporary
        : withFileOwner(hostUid, hostGid, () => createTemporaryFile(target.directory));
    try {
      if (file !== temporary) await this.#copyTo(file.fd, offset);
      if (durable) await flushFile(file.fd);
      const etag = putWhereNothingIs(file, target, this.plan);
      if (etag === undefined) return undefined;
      if (durable) await flushFile(file.fd);
      return { bytes: bytesWritten, size: offset + bytesWritten, etag };
    } finally {
      if (file !== temporary) {
        discard(file, target.directory);
        await closeInPool(file.fd);
      }
    }
  }

  /** Changes the file; undefined when the name leads elsewhere by the time it is ours alone. */
  async #change(handle: number, durable: boolean): Promise<Committed | undefined> {
    const { type } = statDescriptor(handle);
    if (type === 'symlink') return undefined;
    if (type === 'directory') throw new Refusal('is_directory', { fileType: type });
    if (type !== 'file') throw new Refusal('not_a_regular_file', { fileType: type });
    const flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | (this.#offset === undefined ? O_APPEND : 0);
    // In the thread pool: overlay copies a file of the template up when it is opened for writing.
    const fd = await openInPool(descriptorPath(handle), flags);
    try {
      const identity = identityOf(statDescriptor(fd));
      return await files.run(identity, async () => {
        const { directory, name } = this.pending.target;
        const named = statEntry(directory, name);
        if (named === undefined || identityOf(named) !== identity) return undefined;
        return this.#patch(fd, durable);
      });
    } finally {
      await closeInPool(fd);
    }
  }

  async #patch(fd: number, durable: boolean): Promise<Committed> {
    const before = statDescriptor(fd);
    checkPrecondition(this.plan, etagOf(before));
    const sizeBefore = Number(before.size);
    const { bytesWritten } = this.pending;
    let appended = 0;
    try {
      reserve(fd, this.#offset ?? sizeBefore, bytesWritten);
      await this.#copyTo(fd, this.#offset ?? null, (bytes) => {
        if (this.#offset === undefined) appended += bytes;
      });
    } catch (error) {
      undo(fd, sizeBefore, appended);
      throw error;
    }
    const { attributes } = this.plan;
    const mode = attributes.mode ?? modeAfterWrite(before.mode);
    setAttributes(fd, { ...attributes, mode }, statDescriptor(fd));
    if (durable) await flushFile(fd);
    const after = statDescriptor(fd);
    return { bytes: bytesWritten, size: Number(after.size), etag: etagOf(after) };
  }

  async #copyTo(
    fd: number,
    position: number | null,
    onWritten: (bytes: number) => void = () => {},
  ): Promise<void> {
    const source = reopen(this.pending.temporary.fd, O_RDONLY);
    try {
      const lengthBytes = this.pending.bytesWritten;
      const copied = await copyBytes(source, fd, { start: 0, lengthBytes, position, onWritten });
      if (copied < lengthBytes) throw new Refusal('truncated');
    } finally {
      closeSync(source);
    }
  }
}

function reserve(fd: number, offset: number, lengthBytes: number): void {
  if (lengthBytes === 0) return;
  try {
    reserveSpace(fd, offset, lengthBytes);
  } catch (error) {
    if (errnoOf(error) !== 'EOPNOTSUPP') throw error;
  }
}

/**
 * Cuts off what was appended, with the room that was reserved. Where others appended meanwhile, all
 * stays: their bytes are not ours to take.
 */
function undo(fd: number, sizeBefore: number, appended: number): void {
  const isOursAlone = Number(statDescriptor(fd).size) === sizeBefore + appended;
  if (isOursAlone) ftruncateSync(fd, sizeBefore);
}
