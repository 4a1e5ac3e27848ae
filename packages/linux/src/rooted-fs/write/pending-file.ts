import type { Writable } from 'node:stream';
import type { BegunWrite } from './begin-write.ts';
import { flushDirectories, flushFile } from '../descriptors/flush.ts';
import { PendingBytes } from './pending-bytes.ts';
import { type WritePlan, putInPlace } from './put-in-place.ts';
import type { RootDirectory } from '../paths/root-directory.ts';
import { rootedFsErrorOf } from '../rooted-fs-error.ts';

/** What a commit has done. */
export interface Committed {
  /** Bytes that were written. */
  readonly bytes: number;
  /** Bytes that the file has. */
  readonly size: number;
  readonly etag: string;
}

/**
 * One atomic write under way: the bytes are in a file of their own in the target's directory until
 * `commit` puts it at its name. What is there then keeps its mode and owner where none are given;
 * its other hard links keep the old contents. Concurrent writers do not mix: the last commit wins.
 * When the directory is moved meanwhile, the file goes with it.
 */
export class PendingFile implements AsyncDisposable {
  readonly #pending: PendingBytes;
  readonly #plan: WritePlan;
  readonly #path: string;
  readonly #root: RootDirectory;

  /** Takes over `target.directory`. @throws SystemError */
  constructor({ target, plan, root }: BegunWrite, path: string) {
    this.#root = root;
    this.#pending = new PendingBytes(target, plan.creation, path);
    this.#plan = plan;
    this.#path = path;
  }

  /** Takes the bytes; its errors are RootedFsErrors. */
  get stream(): Writable {
    return this.#pending.stream;
  }

  /** Takes all bytes at once, instead of `stream`. @throws RootedFsError */
  writeSmall(contents: Uint8Array): void {
    this.#pending.writeSmall(contents);
  }

  get bytesWritten(): number {
    return this.#pending.bytesWritten;
  }

  /**
   * Makes the file visible; `stream` must have finished. On an error nothing is left of the write
   * and the old file is untouched.
   * @throws RootedFsError `is_directory`, `not_found` when the directory was removed, `disk_full`,
   * `precondition_failed`
   */
  commit(): Committed {
    this.#pending.take();
    try {
      return this.#put();
    } catch (error) {
      throw rootedFsErrorOf(error, this.#path);
    } finally {
      this.#pending.end();
    }
  }

  /** The same; resolves when the disk has the file and its name. */
  async commitDurably(): Promise<Committed> {
    this.#pending.take();
    const { temporary, target } = this.#pending;
    try {
      // The bytes first: whenever the power fails, the name leads to a whole file.
      await flushFile(temporary.fd);
      const committed = this.#put();
      await flushFile(temporary.fd);
      await flushDirectories(this.#root, target.directory);
      return committed;
    } catch (error) {
      throw rootedFsErrorOf(error, this.#path);
    } finally {
      this.#pending.end();
    }
  }

  /** Drops the bytes; the old file is untouched. Idempotent; does nothing after a commit. */
  abort(): Promise<void> {
    return this.#pending.abort();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort();
  }

  #put(): Committed {
    const { temporary, target, bytesWritten } = this.#pending;
    const etag = putInPlace(temporary, target, this.#plan);
    return { bytes: bytesWritten, size: bytesWritten, etag };
  }
}
