import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { asBuffer } from './as-buffer.ts';

/** Clients send what they read from a socket as one message, which is 32 KiB. */
export const maxTunnelMessageBytes = 1024 * 1024;

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
    this.#send(chunk, done);
  }

  /** What is written together travels as one message. */
  override _writev(chunks: Array<{ chunk: Buffer }>, done: (error?: Error | null) => void): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.close(1000);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.terminate();
    done(error);
  }

  #send(bytes: Buffer, done: (error?: Error | null) => void): void {
    this.#socket.send(bytes, { binary: true }, done);
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
