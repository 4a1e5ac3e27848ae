import { Readable } from 'node:stream';
import { ReceiveWindow } from './receive-window.ts';

/**
 * What a command writes. Holds at most the window: the command waits until what it wrote has
 * been read. Destroying it lets the command write on, to nowhere.
 */
export class OutputStream extends Readable {
  readonly #window: ReceiveWindow;

  constructor(grant: (bytes: number) => void) {
    super({ highWaterMark: 16 * 1024 });
    this.#window = new ReceiveWindow({ grant, push: (chunk) => this.push(chunk) });
    // The owner of the command learns of errors from its exit.
    this.on('error', () => {});
  }

  /** False when the peer sent more than it was granted. */
  receive(chunk: Buffer): boolean {
    return this.#window.receive(chunk);
  }

  /** No more comes. */
  finish(): void {
    this.#window.finish();
  }

  override _read(): void {
    this.#window.want();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#window.drop();
    done(error);
  }
}
