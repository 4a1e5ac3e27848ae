import { flushDirectories, flushFile } from '../descriptors/flush.ts';
import { rootedFsErrorOf } from '../rooted-fs-error.ts';
import { type Committed, PendingWrite } from './pending-write.ts';
import { putInPlace } from './put-in-place.ts';

/**
 * One atomic write under way: the bytes are in a file of their own in the target's directory until
 * `commit` puts it at its name. What is there then keeps its mode and owner where none are given;
 * its other hard links keep the old contents. Concurrent writers do not mix: the last commit wins.
 * When the directory is moved meanwhile, the file goes with it.
 */
export class PendingFile extends PendingWrite {
  /**
   * Makes the file visible; `stream` must have finished. On an error nothing is left of the write
   * and the old file is untouched.
   * @throws RootedFsError `is_directory`, `not_found` when the directory was removed, `disk_full`,
   * `precondition_failed`
   */
  commit(): Committed {
    this.pending.take();
    try {
      return this.#put();
    } catch (error) {
      throw rootedFsErrorOf(error, this.path);
    } finally {
      this.pending.end();
    }
  }

  /** The same; resolves when the disk has the file and its name. */
  async commitDurably(): Promise<Committed> {
    this.pending.take();
    const { temporary, target } = this.pending;
    try {
      // The bytes first: whenever the power fails, the name leads to a whole file.
      await flushFile(temporary.fd);
      const committed = this.#put();
      await flushFile(temporary.fd);
      await flushDirectories(this.root, target.directory);
      return committed;
    } catch (error) {
      throw rootedFsErrorOf(error, this.path);
    } finally {
      this.pending.end();
    }
  }

  #put(): Committed {
    const { temporary, target, bytesWritten } = this.pending;
    const etag = putInPlace(temporary, target, this.plan);
    return { bytes: bytesWritten, size: bytesWritten, etag };
  }
}
