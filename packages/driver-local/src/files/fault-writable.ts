import { Writable } from 'node:stream';
import { fileFault } from './file-fault.ts';

type Done = (error?: Error | null) => void;

/** Passes bytes on to a file without copying them and turns its errors into faults. */
export class FaultWritable extends Writable {
  readonly #inner: Writable;
  readonly #path: string;

  constructor(inner: Writable, path: string) {
    super({ highWaterMark: inner.writableHighWaterMark, decodeStrings: true });
    this.#inner = inner;
    this.#path = path;
    inner.on('error', (error) => this.destroy(this.#fault(error)));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Done): void {
    this.#inner.write(chunk, (error) => callback(error ? this.#fault(error) : null));
  }

  /** Chunks that wait together are written together. */
  override _writev(chunks: { chunk: Buffer }[], callback: Done): void {
    let left = chunks.length;
    let failed = false;
    this.#inner.cork();
    for (const { chunk } of chunks)
      this.#inner.write(chunk, (error) => {
        left -= 1;
        if (failed || (!error && left > 0)) return;
        failed = Boolean(error);
        callback(error ? this.#fault(error) : null);
      });
    this.#inner.uncork();
  }

  override _final(callback: Done): void {
    this.#inner.end((error?: Error | null) => callback(error ? this.#fault(error) : null));
  }

  override _destroy(error: Error | null, callback: Done): void {
    this.#inner.destroy();
    callback(error);
  }

  #fault(error: unknown): Error {
    const fault = fileFault(error, this.#path);
    return fault instanceof Error ? fault : new Error(String(fault));
  }
}
