import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { createPipe } from '../ffi/spawn-calls.ts';

/** A pipe from a program to this process. */
export class OutputPipe implements Disposable {
  /** For the program: its standard output or error. */
  readonly writeEnd: number;
  readonly stream: Socket;
  /** Resolves when nobody holds the writing end any more, or it was disposed. */
  readonly ended: Promise<void>;
  #open = true;

  /** @throws SystemError EMFILE */
  constructor() {
    const { readEnd, writeEnd } = createPipe();
    this.writeEnd = writeEnd;
    this.stream = new Socket({ fd: readEnd, readable: true, writable: false });
    this.stream.on('error', () => undefined);
    this.ended = new Promise((resolve) => this.stream.once('close', () => resolve()));
  }

  /** To be called once the program has its own copy: otherwise the stream never ends. Idempotent. */
  closeWriteEnd(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.writeEnd);
  }

  [Symbol.dispose](): void {
    this.closeWriteEnd();
    this.stream.destroy();
  }
}
