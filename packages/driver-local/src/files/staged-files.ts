import type {
  FileOwner,
  StagedAppend,
  StagedFileRef,
  StagedFiles,
  WriteFileOptions,
  WrittenFile,
} from '@sandport/driver';
import type { RootedFs } from '@sandport/linux';
import type { GuestPath } from '@sandport/protocol';
import type { Readable } from 'node:stream';
import { FaultWritable } from './fault-writable.ts';
import { about, aboutAsync } from './file-fault.ts';

/** Files of one sandbox that come in several pieces. */
export class RootedStagedFiles implements StagedFiles {
  readonly #root: RootedFs;
  readonly #owner: FileOwner;

  constructor(root: RootedFs, owner: FileOwner) {
    this.#root = root;
    this.#owner = owner;
  }

  async create(
    path: GuestPath,
    options: Pick<WriteFileOptions, 'owner' | 'precondition'> = {},
  ): Promise<StagedFileRef> {
    const defaultOwner = this.#owner;
    return about(path, () => this.#root.staged.create(path, { ...options, defaultOwner }));
  }

  async size(ref: StagedFileRef): Promise<number | undefined> {
    return about(ref.path, () => this.#root.staged.size(ref));
  }

  async append(ref: StagedFileRef, offset: number): Promise<StagedAppend> {
    const append = await aboutAsync(ref.path, () => this.#root.staged.append(ref, offset));
    const stream = new FaultWritable(append.stream, ref.path);
    const close = async () => {
      stream.on('error', () => {}).destroy();
      await append.close();
    };
    return {
      stream,
      get bytes() {
        return append.bytesWritten;
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  async truncate(ref: StagedFileRef, size: number): Promise<void> {
    await aboutAsync(ref.path, () => this.#root.staged.truncate(ref, size));
  }

  async read(ref: StagedFileRef): Promise<Readable> {
    return about(ref.path, () => this.#root.staged.open(ref).stream());
  }

  async publish(
    ref: StagedFileRef,
    path: GuestPath,
    options: WriteFileOptions = {},
  ): Promise<WrittenFile> {
    const all = { ...options, defaultOwner: this.#owner };
    const written = await aboutAsync(path, () => this.#root.staged.publish(ref, path, all));
    return { ...written, bytes: written.size };
  }

  async discard(ref: StagedFileRef): Promise<void> {
    about(ref.path, () => this.#root.staged.discard(ref));
  }

  async discardCopy(ref: StagedFileRef): Promise<void> {
    about(ref.path, () => this.#root.staged.discardCopy(ref));
  }
}
