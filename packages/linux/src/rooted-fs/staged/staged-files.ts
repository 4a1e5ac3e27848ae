import { closeSync } from 'node:fs';
import { O_APPEND, O_RDONLY, O_WRONLY } from '../../ffi/constants.ts';
import { errnoOf } from '../../ffi/system-error.ts';
import { type CreateWriterOptions, beginWrite } from '../write/begin-write.ts';
import { statDescriptor } from '../attributes/entry.ts';
import { etagOf } from '../attributes/file-stat.ts';
import { flushDirectories, flushFile } from '../descriptors/flush.ts';
import { parsePath } from '../paths/guest-path.ts';
import type { IdMapping } from '../attributes/id-mapping.ts';
import { OpenedFile } from '../descriptors/opened-file.ts';
import type { RootDirectory } from '../paths/root-directory.ts';
import { Refusal, rootedFsErrorOf } from '../rooted-fs-error.ts';
import { StagedAppend, cutFile } from './staged-append.ts';
import {
  type StagedRef,
  createStaged,
  discardStaged,
  discardStagedCopy,
  openStaged,
  publishStaged,
} from './staged-file.ts';

/**
 * Files that come in several pieces, over a time in which this process may end: they have names of
 * their own beside their targets, which the guest sees and may meddle with. Every operation looks
 * first whether the file is still the one that was made. All methods throw RootedFsError.
 */
export class StagedFiles {
  readonly #root: RootDirectory;
  readonly #ids: IdMapping;

  constructor(root: RootDirectory, ids: IdMapping) {
    this.#root = root;
    this.#ids = ids;
  }

  /**
   * Makes an empty one beside `path`, and missing directories.
   * @throws as the begin of a write, and `invalid_path` when the directory's name is not UTF-8
   */
  create(path: string, options: CreateWriterOptions): StagedRef {
    return about(path, () => {
      const { target, plan } = beginWrite(this.#root, this.#ids, parsePath(path), options);
      try {
        return createStaged(this.#root, target, plan.creation);
      } finally {
        closeSync(target.directory);
      }
    });
  }

  /** Bytes that it has; undefined when it is gone or was replaced. */
  size(ref: StagedRef): number | undefined {
    try {
      const { fd, directory } = openStaged(this.#root, ref, O_RDONLY);
      closeSync(directory);
      try {
        return Number(statDescriptor(fd).size);
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      if (isGone(error)) return undefined;
      throw rootedFsErrorOf(error, ref.path);
    }
  }

  /** Begins to append at `offset`; what is behind it is cut off. @throws `busy` when it is shorter */
  async append(ref: StagedRef, offset: number): Promise<StagedAppend> {
    const fd = about(ref.path, () => this.#take(ref, O_WRONLY | O_APPEND));
    try {
      await cutTo(fd, offset, ref.path);
      return new StagedAppend(fd, ref.path);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** @throws `busy` when it is shorter */
  async truncate(ref: StagedRef, sizeBytes: number): Promise<void> {
    const fd = about(ref.path, () => this.#take(ref, O_WRONLY));
    try {
      await cutTo(fd, sizeBytes, ref.path);
    } finally {
      closeSync(fd);
    }
  }

  /** The caller closes it. */
  open(ref: StagedRef): OpenedFile {
    return about(ref.path, () => {
      const fd = this.#take(ref, O_RDONLY);
      const raw = statDescriptor(fd);
      return new OpenedFile(fd, ref.path, this.#ids.guestStat(raw), etagOf(raw));
    });
  }

  /**
   * Puts it at `path`, as the commit of a write does. @param options.durable waits until the disk has it
   * @throws `precondition_failed`, `is_directory`, `busy` when `path` is on another mount by now
   */
  async publish(
    ref: StagedRef,
    path: string,
    options: CreateWriterOptions & { readonly durable?: boolean },
  ): Promise<{ readonly size: number; readonly etag: string }> {
    const staged = about(ref.path, () => openStaged(this.#root, ref, O_WRONLY));
    try {
      const { durable = false } = options;
      if (durable) await flushFile(staged.fd);
      const { target, plan } = beginWrite(this.#root, this.#ids, parsePath(path), options);
      try {
        const etag = publishStaged(staged, ref, target, plan);
        const size = Number(statDescriptor(staged.fd).size);
        if (durable) await flushFile(staged.fd);
        if (durable) await flushDirectories(this.#root, target.directory);
        return { size, etag };
      } finally {
        closeSync(target.directory);
      }
    } catch (error) {
      throw rootedFsErrorOf(error, path);
    } finally {
      closeSync(staged.fd);
      closeSync(staged.directory);
    }
  }

  /** Removes it; no error when it is gone. */
  discard(ref: StagedRef): void {
    try {
      discardStaged(this.#root, ref);
    } catch (error) {
      if (!isGone(error)) throw rootedFsErrorOf(error, ref.path);
    }
  }

  /**
   * In a copy of the disk on which it is: removes the copy of it. No error when there is none. One
   * on another mount, which the copy shares with its origin, stays.
   */
  discardCopy(ref: StagedRef): void {
    try {
      discardStagedCopy(this.#root, ref);
    } catch (error) {
      if (!isGone(error) && errnoOf(error) !== 'EXDEV') throw rootedFsErrorOf(error, ref.path);
    }
  }

  /** A descriptor of it, which the caller closes. */
  #take(ref: StagedRef, flags: number): number {
    const { fd, directory } = openStaged(this.#root, ref, flags);
    closeSync(directory);
    return fd;
  }
}

/** Something else is there, or nothing. */
const isGone = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '');

function about<Result>(path: string, operation: () => Result): Result {
  try {
    return operation();
  } catch (error) {
    throw rootedFsErrorOf(error, path);
  }
}

async function cutTo(fd: number, sizeBytes: number, path: string): Promise<void> {
  const { size } = statDescriptor(fd);
  if (size === BigInt(sizeBytes)) return;
  if (size < BigInt(sizeBytes)) {
    throw rootedFsErrorOf(new Refusal('busy', { reason: 'it became shorter' }), path);
  }
  await cutFile(fd, sizeBytes, path);
}
