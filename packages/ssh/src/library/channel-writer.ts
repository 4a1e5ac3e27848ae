import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type { Connection, ServerChannel } from 'ssh2';
import { isAgreeing } from './protocol-inside.ts';

/** Bytes that may wait in the socket before a channel writes no more. */
const maxSocketBytes = 1024 * 1024;

/** Fields of a channel in which the library keeps what waits for the window. */
const nothingWaits = {
  _chunk: undefined,
  _chunkcb: undefined,
  _chunkErr: undefined,
  _chunkcbErr: undefined,
};

export interface ChannelWriterOptions {
  readonly connection: Connection;
  readonly socket: Socket;
  /** Aborts when the channel has closed. */
  readonly closed: AbortSignal;
}

/**
 * Writes to a channel, one chunk after the other, and no faster than the client takes them: neither
 * its window, nor the socket's buffer, nor an agreement on new keys grows a heap here.
 */
export class ChannelWriter {
  readonly #channel: ServerChannel;
  readonly #connection: Connection;
  readonly #socket: Socket;
  readonly #closed: AbortSignal;
  #last: Promise<unknown> = Promise.resolve();

  constructor(channel: ServerChannel, { connection, socket, closed }: ChannelWriterOptions) {
    this.#channel = channel;
    this.#connection = connection;
    this.#socket = socket;
    this.#closed = closed;
  }

  /** Resolves when the next chunk may come; with false once nobody takes any more. */
  write(stream: 'stdout' | 'stderr', chunk: Buffer): Promise<boolean> {
    const written = this.#last.then(async () => {
      await this.#room();
      if (this.#closed.aborted) return false;
      await this.#put(stream === 'stdout' ? this.#channel : this.#channel.stderr, chunk);
      return !this.#closed.aborted;
    });
    this.#last = written;
    return written;
  }

  #put(target: Writable, chunk: Buffer): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#closed.removeEventListener('abort', done);
        // The library does not empty them, and would send the same once more the next time that the
        // other stream of the channel waits.
        Object.assign(this.#channel, nothingWaits);
        resolve();
      };
      this.#closed.addEventListener('abort', done, { once: true });
      // Never called back when the channel is closed meanwhile.
      target.write(chunk, done);
    });
  }

  async #room(): Promise<void> {
    while (!this.#hasRoom() && !this.#closed.aborted)
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#socket.off('drain', done);
          this.#connection.off('handshake', done);
          this.#closed.removeEventListener('abort', done);
          resolve();
        };
        this.#socket.once('drain', done);
        this.#connection.once('handshake', done);
        this.#closed.addEventListener('abort', done, { once: true });
      });
  }

  #hasRoom(): boolean {
    return this.#socket.writableLength <= maxSocketBytes && !isAgreeing(this.#connection);
  }
}
