import { ftruncate } from 'node:fs';
import type { Writable } from 'node:stream';
import { DescriptorWritable } from '../descriptors/descriptor-streams.ts';
import { GuardedDescriptor } from '../descriptors/guarded-descriptor.ts';
import { rootedFsErrorOf } from '../rooted-fs-error.ts';

/** Bytes on their way to the end of a staged file; what was written stays, however it ends. */
export class StagedAppend implements AsyncDisposable {
  /** Takes the bytes; its errors are RootedFsErrors. */
  readonly stream: Writable;
  readonly #data: DescriptorWritable;
  readonly #file: GuardedDescriptor;

  /** Takes over `fd`, which is open with O_APPEND. */
  constructor(fd: number, path: string) {
    this.#file = new GuardedDescriptor(fd);
    this.#data = new DescriptorWritable(this.#file, path);
    this.stream = this.#data;
  }

  /** Final once `close` has resolved. */
  get bytesWritten(): number {
    return this.#data.bytesWritten;
  }

  /** Resolves when nothing is written any more. Idempotent. */
  close(): Promise<void> {
    // Errors of bytes that nobody wants any more have no one to go to.
    this.#data.on('error', () => {});
    this.#data.destroy();
    return this.#file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Cuts an open file, in the thread pool: freeing many blocks takes long. @throws RootedFsError */
export function cutFile(fd: number, sizeBytes: number, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    ftruncate(fd, sizeBytes, (error) => {
      if (error === null) resolve();
      else reject(rootedFsErrorOf(error, path));
    });
  });
}
