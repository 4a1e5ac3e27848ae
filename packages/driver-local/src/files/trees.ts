import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type {
  FileOwner,
  TreeEntryAttributes,
  TreeWriter,
  TreeWriterOptions,
} from '@sandport/driver';
import {
  type RootedFs,
  RootedFsError,
  TimeSlice,
  type TreeAttributes,
  type TreeWriter as RootedWriter,
} from '@sandport/linux';
import { type GuestPath, SandportFault } from '@sandport/protocol';
import { joinPath } from './file-entry.ts';
import { about, fileFault } from './file-fault.ts';

/** Begins to write a directory tree entry by entry. */
export async function writeTree(
  root: RootedFs,
  path: GuestPath,
  defaultOwner: FileOwner,
  { owner = defaultOwner }: TreeWriterOptions,
): Promise<TreeWriter> {
  const forAll = owner === 'from entries' ? undefined : owner;
  const writer = about(path, () => root.writeTree(path, { owner: forAll ?? defaultOwner }));
  return new RootedTreeWriter(writer, path, forAll);
}

class RootedTreeWriter implements TreeWriter {
  readonly #writer: RootedWriter;
  readonly #path: string;
  /** Undefined: each entry has its own. */
  readonly #owner: FileOwner | undefined;
  readonly #slice = new TimeSlice();

  constructor(writer: RootedWriter, path: string, owner: FileOwner | undefined) {
    this.#writer = writer;
    this.#path = path;
    this.#owner = owner;
  }

  directory(name: Buffer, attributes: TreeEntryAttributes): Promise<void> {
    const chown = this.#owner === undefined;
    return this.#run(name, () =>
      this.#writer.directory(name, this.#attributes(attributes), { chown }),
    );
  }

  async file(
    name: Buffer,
    attributes: TreeEntryAttributes,
    contents: Readable | Buffer,
    size: number,
  ): Promise<void> {
    if (contents instanceof Readable) return this.#stream(name, attributes, contents, size);
    if (contents.length !== size) throw wrongSize(size, contents.length);
    return this.#run(name, () => this.#writer.file(name, this.#attributes(attributes), contents));
  }

  symlink(name: Buffer, attributes: TreeEntryAttributes, target: Buffer): Promise<void> {
    return this.#run(name, () => this.#writer.symlink(name, this.#attributes(attributes), target));
  }

  hardLink(name: Buffer, existing: Buffer): Promise<void> {
    return this.#run(name, () => this.#writer.hardLink(name, existing));
  }

  async finish(): Promise<void> {
    try {
      await this.#writer.finish();
    } catch (error) {
      throw fileFault(error, this.#path);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#writer[Symbol.dispose]();
  }

  async #stream(
    name: Buffer,
    attributes: TreeEntryAttributes,
    contents: Readable,
    size: number,
  ): Promise<void> {
    try {
      const file = this.#writer.beginFile(name, this.#attributes(attributes));
      try {
        await pipeline(contents, file.stream);
        if (file.bytesWritten !== size) throw wrongSize(size, file.bytesWritten);
        file.commit();
      } finally {
        await file.abort();
      }
    } catch (error) {
      throw this.#fault(error, name);
    }
  }

  async #run(name: Buffer, action: () => void): Promise<void> {
    try {
      action();
    } catch (error) {
      throw this.#fault(error, name);
    }
    if (this.#slice.isOver) await this.#slice.yield();
  }

  /** Programs that run as their owner are taken over only together with the owner. */
  #attributes({ mode, uid, gid, mtimeNs }: TreeEntryAttributes): TreeAttributes {
    if (this.#owner === undefined) return { mode, owner: { uid, gid }, mtimeNs };
    return { mode: mode & 0o1777, owner: this.#owner, mtimeNs };
  }

  #fault(error: unknown, name: Buffer): unknown {
    const shown = name.toString('utf8').slice(0, 200);
    if (!(error instanceof RootedFsError) || error.kind !== 'unsafe') {
      return fileFault(error, joinPath(this.#path, shown));
    }
    const { reason = 'it would lead out of the directory' } = error;
    return new SandportFault(
      'unsafe_archive',
      `The entry "${shown}" is refused: ${reason}.`,
      { path: this.#path, entry: shown, reason },
      { cause: error },
    );
  }
}

const wrongSize = (wanted: number, got: number) =>
  new Error(`a file of ${wanted} bytes came with ${got}`);
