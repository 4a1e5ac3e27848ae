import type {
  StagedAppend,
  StagedFileRef,
  StagedFiles,
  WriteFileOptions,
  WrittenFile,
} from '@sandport/driver';
import { type GuestPath, SandportFault } from '@sandport/protocol';
import { Readable, Writable } from 'node:stream';

/** Staged files in memory, for tests that make them fail. */
export class MemoryStagedFiles implements StagedFiles {
  readonly staged = new Map<string, Buffer>();
  readonly published = new Map<string, Buffer>();
  reads = 0;
  failingTruncates = 0;

  async create(path: GuestPath): Promise<StagedFileRef> {
    const ref = { path: `${path}.staged-${this.staged.size}`, identity: '' };
    this.staged.set(ref.path, Buffer.alloc(0));
    return ref;
  }

  async size(ref: StagedFileRef): Promise<number | undefined> {
    return this.staged.get(ref.path)?.length;
  }

  async append(ref: StagedFileRef, offset: number): Promise<StagedAppend> {
    this.staged.set(ref.path, this.#get(ref).subarray(0, offset));
    const { staged } = this;
    let bytes = 0;
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        staged.set(ref.path, Buffer.concat([this.#get(ref), chunk]));
        bytes += chunk.length;
        done();
      },
    });
    stream.on('error', () => undefined);
    const close = async () => void stream.destroy();
    return {
      stream,
      get bytes() {
        return bytes;
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  async truncate(ref: StagedFileRef, size: number): Promise<void> {
    if (this.failingTruncates-- > 0) throw new Error('the disk failed');
    this.staged.set(ref.path, this.#get(ref).subarray(0, size));
  }

  async read(ref: StagedFileRef): Promise<Readable> {
    this.reads += 1;
    return Readable.from([this.#get(ref)]);
  }

  async publish(
    ref: StagedFileRef,
    path: GuestPath,
    options: WriteFileOptions = {},
  ): Promise<WrittenFile> {
    if (options.precondition?.(undefined) === false)
      throw new SandportFault('precondition_failed', 'It is another file.', { path });
    const bytes = this.#get(ref);
    this.published.set(path, bytes);
    this.staged.delete(ref.path);
    return { bytes: bytes.length, size: bytes.length, etag: '"etag"' };
  }

  async discard(ref: StagedFileRef): Promise<void> {
    this.staged.delete(ref.path);
  }

  async discardCopy(ref: StagedFileRef): Promise<void> {
    this.staged.delete(ref.path);
  }

  #get({ path }: StagedFileRef): Buffer {
    const bytes = this.staged.get(path);
    if (bytes === undefined)
      throw new SandportFault('file_not_found', `Nothing exists at ${path}.`, { path });
    return bytes;
  }
}
