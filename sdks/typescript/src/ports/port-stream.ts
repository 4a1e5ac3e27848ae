import { Duplex } from 'node:stream';
import type { ClientSocket } from '../http/socket/client-socket.ts';

/** Larger messages are refused by the daemon. */
const maxMessageBytes = 256 * 1024;

/** Ends one direction of the connection. */
const endOfFile = '{"eof":true}';

/**
 * A TCP connection to a port of a sandbox. `end` ends one direction only, as that of a socket with
 * `allowHalfOpen` does. Reading slowly holds the sender.
 */
export class PortStream extends Duplex {
  readonly #socket: ClientSocket;
  #reading = false;

  constructor(socket: ClientSocket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
  }

  override _read(): void {
    if (this.#reading) return;
    this.#reading = true;
    void this.#readOn();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    void settle(this.#sendAll(chunk), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    // No error when the other side has ended both directions.
    void settle(this.#socket.send(endOfFile), () => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const isOver = error === null && this.readableEnded && this.writableFinished;
    if (isOver) void this.#socket.close();
    else this.#socket.abort(error ?? new Error('the connection was closed'));
    done(error);
  }

  async #sendAll(bytes: Buffer): Promise<void> {
    for (let start = 0; start < bytes.length; start += maxMessageBytes)
      await this.#socket.send(bytes.subarray(start, start + maxMessageBytes));
  }

  async #readOn(): Promise<void> {
    try {
      for (;;) {
        const message = await this.#socket.receive();
        if (message === undefined || message === endOfFile) {
          this.push(null);
          return;
        }
        if (!this.push(message)) break;
      }
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#reading = false;
    }
  }
}

async function settle(work: Promise<void>, done: (error?: Error) => void): Promise<void> {
  let failure: Error | undefined;
  try {
    await work;
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  done(failure);
}
