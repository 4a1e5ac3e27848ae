import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { asBuffer } from './as-buffer.ts';

/** The byte stream that the binary messages of a WebSocket are, in both directions. */
export class ByteTunnel extends Duplex {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => {
      this.push(null);
      this.destroy();
    });
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.send(chunk, { binary: true }, done);
  }

  /** What is written together travels as one message. */
  override _writev(chunks: Array<{ chunk: Buffer }>, done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'buffer', done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.close(1000);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.terminate();
    done(error);
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (!isBinary) {
      this.#socket.close(1003, 'Messages must be binary.');
      this.destroy();
    } else if (!this.push(asBuffer(data))) {
      this.#socket.pause();
    }
  }
}
