import { fsync, ftruncate, read, write } from 'node:fs';
import { statDescriptor } from '../attributes/entry.ts';
import { setAttributes } from '../attributes/file-attributes.ts';
import type { FileStat } from '../attributes/file-stat.ts';
import type { GuestOwner, IdMapping } from '../attributes/id-mapping.ts';
import { GuardedDescriptor } from '../descriptors/guarded-descriptor.ts';
import { rootedFsErrorOf } from '../rooted-fs-error.ts';

/** What a file is to have; what is left out stays as it is. */
export interface HeldFileChange {
  readonly sizeBytes?: number | undefined;
  /** Permission, setuid, setgid and sticky bits. */
  readonly mode?: number | undefined;
  readonly owner?: Partial<GuestOwner> | undefined;
  /** Nanoseconds since 1970. */
  readonly mtimeNs?: bigint | undefined;
}

/**
 * A regular file that is open to be read and written in place, anywhere: one file, whatever is
 * renamed meanwhile. Programs in the guest see every write at once. Errors are RootedFsErrors.
 */
export class HeldFile implements AsyncDisposable {
  readonly #file: GuardedDescriptor;
  readonly #path: string;
  readonly #ids: IdMapping;

  constructor(fd: number, path: string, ids: IdMapping) {
    this.#file = new GuardedDescriptor(fd);
    this.#path = path;
    this.#ids = ids;
  }

  /** Fills `into` from `position` on. @returns how many bytes; fewer only at the end of the file */
  async read(into: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (filled < into.length) {
      const start = filled;
      const count = await this.#run<number>((fd, done) =>
        read(fd, into, start, into.length - start, position + start, done),
      );
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  /** Writes all of `bytes` at `position`; at the end, when it was opened to append. */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      const start = written;
      written += await this.#run<number>((fd, done) =>
        write(fd, bytes, start, bytes.length - start, position + start, done),
      );
    }
  }

  stat(): FileStat {
    return this.#now((fd) => this.#ids.guestStat(statDescriptor(fd)));
  }

  async change({ sizeBytes, mode, owner, mtimeNs }: HeldFileChange): Promise<void> {
    if (sizeBytes !== undefined)
      await this.#run<void>((fd, done) => ftruncate(fd, sizeBytes, (error) => done(error)));
    this.#now((fd) => {
      const hostUid = owner?.uid === undefined ? undefined : this.#ids.toHost(owner.uid);
      const hostGid = owner?.gid === undefined ? undefined : this.#ids.toHost(owner.gid);
      setAttributes(fd, { mode, hostUid, hostGid, mtimeNs }, statDescriptor(fd));
    });
  }

  /** Resolves when the disk has what was written. */
  sync(): Promise<void> {
    return this.#run<void>((fd, done) => fsync(fd, (error) => done(error)));
  }

  /** Resolves when the descriptor is closed. Idempotent. */
  close(): Promise<void> {
    return this.#file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #now<Result>(operation: (fd: number) => Result): Result {
    try {
      return operation(this.#file.fd);
    } catch (error) {
      throw rootedFsErrorOf(error, this.#path);
    }
  }

  /** Runs a call in the thread pool. */
  #run<Result>(
    call: (fd: number, done: (error: Error | null, result?: Result) => void) => void,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => reject(rootedFsErrorOf(error, this.#path));
      try {
        this.#file.start((fd, over) => {
          call(fd, (error, result) => {
            over();
            if (error !== null) fail(error);
            else resolve(result as Result); // Without an error there is a result.
          });
        });
      } catch (error) {
        fail(error);
      }
    });
  }
}
