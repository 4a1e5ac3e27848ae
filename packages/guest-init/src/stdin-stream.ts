import { Writable } from 'node:stream';
import { SendWindow } from './send-window.ts';
import { STDIN_WINDOW_BYTES } from './wire.ts';

/** Where the bytes of stdin go. */
export interface StdinSink {
  data(bytes: Buffer): void;
  end(): void;
}

/** The stdin of a command. Sends no more than the init has room for. */
export class StdinStream extends Writable {
  readonly #sink: StdinSink;
  readonly #window: SendWindow;

  constructor(sink: StdinSink) {
    super({ highWaterMark: STDIN_WINDOW_BYTES, decodeStrings: true });
    this.#sink = sink;
    this.#window = new SendWindow(STDIN_WINDOW_BYTES, (bytes) => sink.data(bytes));
    this.on('error', () => {});
  }

  /** False when the peer granted more than was ever used. */
  grant(bytes: number): boolean {
    return this.#window.grant(bytes);
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    this.#window.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#sink.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.writableFinished) this.#sink.end();
    this.#window.drop(error ?? new Error('the command has ended'));
    done(error);
  }
}
