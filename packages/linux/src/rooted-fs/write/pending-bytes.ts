import { closeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { withFileOwner } from '../../ffi/credential-calls.ts';
import { DescriptorWritable } from '../descriptors/descriptor-streams.ts';
import { GuardedDescriptor } from '../descriptors/guarded-descriptor.ts';
import { writeWhole } from '../descriptors/whole-transfers.ts';
import type { Creation } from '../entries/make-directory.ts';
import { RootedFsError, rootedFsErrorOf } from '../rooted-fs-error.ts';
import { type TemporaryFile, createTemporaryFile, discard } from './temporary-file.ts';
import type { WriteTarget } from './write-target.ts';

/** Bytes that are collected in a temporary file beside their target until something is made of them. */
export class PendingBytes {
  /** Takes the bytes; its errors are RootedFsErrors. */
  readonly stream: Writable;
  readonly temporary: TemporaryFile;
  readonly target: WriteTarget;
  readonly #data: DescriptorWritable;
  readonly #file: GuardedDescriptor;
  readonly #path: string;
  #state: 'open' | 'taken' | 'ended' = 'open';
  #isFilled = false;
  #filledBytes = 0;
  #closed: Promise<void> = Promise.resolve();

  /** Takes over `target.directory`. @throws SystemError */
  constructor(target: WriteTarget, creation: Creation, path: string) {
    this.temporary = withFileOwner(creation.hostUid, creation.hostGid, () =>
      createTemporaryFile(target.directory),
    );
    this.#file = new GuardedDescriptor(this.temporary.fd);
    this.#data = new DescriptorWritable(this.#file, path);
    this.stream = this.#data;
    this.target = target;
    this.#path = path;
  }

  get bytesWritten(): number {
    return this.#data.bytesWritten + this.#filledBytes;
  }

  /** Takes all bytes at once, instead of the stream. @throws RootedFsError */
  writeSmall(contents: Uint8Array): void {
    try {
      writeWhole(this.#file.fd, contents);
      this.#filledBytes = contents.length;
      this.#isFilled = true;
    } catch (error) {
      throw rootedFsErrorOf(error, this.#path);
    }
  }

  /** Lets `write` put the bytes into the file, instead of the stream. */
  fill(write: (fd: number) => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#file.start((fd, done) => {
        const filled = (): void => {
          this.#isFilled = true;
        };
        write(fd).then(filled).finally(done).then(resolve, reject);
      });
    });
  }

  /**
   * Takes the bytes over, once; `end` must follow.
   * @throws RootedFsError `io` when the stream has not finished: then nothing is left of it
   */
  take(): void {
    if (this.#state !== 'open') throw new Error(`the write of ${this.#path} has already ended`);
    if (!this.#isFilled && !this.#data.writableFinished) {
      void this.abort();
      throw new RootedFsError('io', this.#path, { reason: 'the write ended before its last byte' });
    }
    this.#state = 'taken';
  }

  /** Closes all; what has no name by now is gone. */
  end(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    discard(this.temporary, this.target.directory);
    closeSync(this.target.directory);
    this.#closed = this.#file.close();
  }

  /** Drops the bytes, unless they were taken. Idempotent. */
  abort(): Promise<void> {
    if (this.#state === 'open') {
      // Errors of a write that nobody wants any more have no one to go to.
      this.#data.on('error', () => {});
      this.#data.destroy();
      this.end();
    }
    return this.#closed;
  }
}
