import { read, write, writev } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import type { GuardedDescriptor } from './guarded-descriptor.ts';
import { Refusal, rootedFsErrorOf } from '../rooted-fs-error.ts';

/** Bytes a read asks for, and bytes a writer accepts before it pushes back. */
const CHUNK_BYTES = 512 * 1024;

/**
 * Reads `[start, end)` of a file and closes it at its end. Ends with a RootedFsError `truncated`
 * when the file is shorter than that.
 */
export class DescriptorReadable extends Readable {
  readonly #file: GuardedDescriptor;
  readonly #path: string;
  readonly #end: number;
  #position: number;

  constructor(file: GuardedDescriptor, path: string, start: number, end: number) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#file = file;
    this.#path = path;
    this.#position = start;
    this.#end = end;
  }

  override _read(): void {
    const wanted = Math.min(CHUNK_BYTES, this.#end - this.#position);
    if (wanted <= 0) {
      this.push(null);
      return;
    }
    const buffer = Buffer.allocUnsafeSlow(wanted);
    const position = this.#position;
    try {
      this.#file.start((fd, done) => {
        read(fd, buffer, 0, wanted, position, (error, bytesRead) => {
          done();
          if (this.destroyed) return;
          if (error !== null) this.destroy(rootedFsErrorOf(error, this.#path));
          else if (bytesRead === 0) {
            this.destroy(rootedFsErrorOf(new Refusal('truncated'), this.#path));
          } else {
            this.#position += bytesRead;
            this.push(bytesRead === wanted ? buffer : buffer.subarray(0, bytesRead));
          }
        });
      });
    } catch (error) {
      this.destroy(rootedFsErrorOf(error, this.#path));
    }
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#file.closeThen(() => callback(error));
  }
}

type WriteDone = (error?: Error | null) => void;

/** Appends to a file. Errors are RootedFsErrors. Does not close the file. */
export class DescriptorWritable extends Writable {
  readonly #file: GuardedDescriptor;
  readonly #path: string;
  #bytesWritten = 0;

  constructor(file: GuardedDescriptor, path: string) {
    super({ highWaterMark: CHUNK_BYTES, decodeStrings: true });
    this.#file = file;
    this.#path = path;
  }

  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: WriteDone): void {
    this.#writeAll([chunk], callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: WriteDone): void {
    this.#writeAll(
      chunks.map((entry) => entry.chunk),
      callback,
    );
  }

  #writeAll(buffers: Buffer[], callback: WriteDone): void {
    const total = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    if (total === 0) {
      callback();
      return;
    }
    const finish = (error: NodeJS.ErrnoException | null, written: number): void => {
      if (error !== null) {
        callback(rootedFsErrorOf(error, this.#path));
        return;
      }
      this.#bytesWritten += written;
      if (written === total) callback();
      else this.#writeAll(dropBytes(buffers, written), callback);
    };
    try {
      this.#file.start((fd, done) => {
        const settle = (error: NodeJS.ErrnoException | null, written: number): void => {
          done();
          finish(error, written);
        };
        const [only] = buffers;
        if (buffers.length === 1 && only !== undefined) {
          write(fd, only, 0, only.length, null, settle);
        } else writev(fd, buffers, settle);
      });
    } catch (error) {
      callback(rootedFsErrorOf(error, this.#path));
    }
  }
}

/** What is left of `buffers` after their first `count` bytes. */
function dropBytes(buffers: readonly Buffer[], count: number): Buffer[] {
  const rest: Buffer[] = [];
  let skip = count;
  for (const buffer of buffers) {
    if (skip < buffer.length) rest.push(skip === 0 ? buffer : buffer.subarray(skip));
    skip = Math.max(0, skip - buffer.length);
  }
  return rest;
}
