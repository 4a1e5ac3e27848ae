import { closeSync, fchmodSync, fchownSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { withFileOwner } from '../ffi/credential-calls.ts';
import { openEntry } from '../ffi/file-calls.ts';
import { errnoOf } from '../ffi/system-error.ts';
import { DescriptorWritable } from './descriptor-streams.ts';
import { statDescriptor } from './entry.ts';
import { type RawStat, etagOf } from './file-stat.ts';
import { GuardedDescriptor, LARGE_FILE_BYTES, closeInBackground } from './guarded-descriptor.ts';
import type { Creation } from './make-directory.ts';
import { Refusal, RootedFsError, rootedFsErrorOf } from './rooted-fs-error.ts';
import { type TemporaryFile, createTemporaryFile, discard, publish } from './temporary-file.ts';
import type { WriteTarget } from './write-target.ts';

/**
 * One atomic write under way: the bytes are in a file of their own in the target's directory until
 * `commit` puts it at its name. What is there then keeps its mode and owner; its other hard links
 * keep the old contents. Concurrent writers do not mix: the last commit wins. When the directory is
 * moved meanwhile, the file goes with it.
 */
export class PendingFile implements AsyncDisposable {
  /** Takes the bytes; its errors are RootedFsErrors. */
  readonly stream: Writable;
  readonly #data: DescriptorWritable;
  readonly #file: GuardedDescriptor;
  readonly #temporary: TemporaryFile;
  readonly #target: WriteTarget;
  readonly #creation: Creation;
  readonly #path: string;
  #state: 'open' | 'committed' | 'aborted' = 'open';
  #closed: Promise<void> = Promise.resolve();

  /** Takes over `target.directory`. @throws SystemError */
  constructor(target: WriteTarget, creation: Creation, path: string) {
    this.#temporary = withFileOwner(creation.hostUid, creation.hostGid, () =>
      createTemporaryFile(target.directory),
    );
    this.#file = new GuardedDescriptor(this.#temporary.fd);
    this.#data = new DescriptorWritable(this.#file, path);
    this.stream = this.#data;
    this.#target = target;
    this.#creation = creation;
    this.#path = path;
  }

  get bytesWritten(): number {
    return this.#data.bytesWritten;
  }

  /**
   * Makes the file visible; `stream` must have finished. On an error nothing is left of the write
   * and the old file is untouched.
   * @throws RootedFsError `is_directory`, `not_found` when the directory was removed, `disk_full`
   */
  commit(): { bytes: number; etag: string } {
    if (this.#state !== 'open') throw new Error(`the write of ${this.#path} has already ended`);
    if (!this.#data.writableFinished) {
      void this.abort();
      throw new RootedFsError('io', this.#path, { reason: 'the write ended before its last byte' });
    }
    try {
      const etag = this.#publish();
      this.#state = 'committed';
      this.#release();
      return { bytes: this.bytesWritten, etag };
    } catch (error) {
      void this.abort();
      throw rootedFsErrorOf(error, this.#path);
    }
  }

  /** Drops the bytes; the old file is untouched. Idempotent; does nothing after a commit. */
  abort(): Promise<void> {
    if (this.#state === 'open') {
      this.#state = 'aborted';
      // Errors of a write that nobody wants any more have no one to go to.
      this.#data.on('error', () => {});
      this.#data.destroy();
      discard(this.#temporary, this.#target.directory);
      this.#release();
    }
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort();
  }

  #publish(): string {
    const fd = this.#file.fd;
    const { directory, name } = this.#target;
    // Held until the end: dropping the last reference to a large file would block this thread.
    const replaced = openEntry(directory, name);
    try {
      const old = replaced === undefined ? undefined : statDescriptor(replaced);
      if (old?.type === 'directory') throw new Refusal('is_directory', { fileType: old.type });
      this.#setOwnerAndMode(fd, old?.type === 'file' ? old : undefined);
      const { hostUid, hostGid } = this.#creation;
      withFileOwner(hostUid, hostGid, () =>
        publish(this.#temporary, directory, name, old !== undefined),
      );
      return etagOf(statDescriptor(fd));
    } finally {
      if (replaced !== undefined) closeReplaced(replaced);
    }
  }

  /** Like the kernel on a write, takes the set-id bits of a file that is replaced. */
  #setOwnerAndMode(fd: number, old: RawStat | undefined): void {
    const { hostUid, hostGid, mode } = this.#creation;
    if (old === undefined) {
      fchmodSync(fd, mode & 0o7777);
      return;
    }
    if (old.hostUid !== hostUid || old.hostGid !== hostGid) {
      try {
        fchownSync(fd, old.hostUid, old.hostGid);
      } catch (error) {
        // An owner that this mount cannot express: the file becomes the writer's.
        if (!['EINVAL', 'EOVERFLOW'].includes(errnoOf(error) ?? '')) throw error;
      }
    }
    const setGroupId = (old.mode & 0o010) === 0 ? 0 : 0o2000;
    fchmodSync(fd, old.mode & ~0o4000 & ~setGroupId);
  }

  #release(): void {
    closeSync(this.#target.directory);
    this.#closed = this.#file.close();
  }
}

function closeReplaced(fd: number): void {
  if (statDescriptor(fd).size > LARGE_FILE_BYTES) closeInBackground(fd);
  else closeSync(fd);
}
