import { Writable } from 'node:stream';
import { STDIN_WINDOW_BYTES } from './wire.ts';

/** Where the bytes of stdin go. */
export interface StdinSink {
  data(bytes: Buffer): void;
  end(): void;
}

/** The stdin of a command. Sends no more than the init has room for. */
export class StdinStream extends Writable {
  readonly #sink: StdinSink;
  #credit = STDIN_WINDOW_BYTES;
  #waiting: { bytes: Buffer; done: (error?: Error | null) => void } | undefined;

  constructor(sink: StdinSink) {
    super({ highWaterMark: STDIN_WINDOW_BYTES, decodeStrings: true });
    this.#sink = sink;
    this.on('error', () => {});
  }

  /** False when the peer granted more than was ever used. */
  grant(bytes: number): boolean {
    if (bytes > STDIN_WINDOW_BYTES - this.#credit) return false;
    this.#credit += bytes;
    const waiting = this.#waiting;
    if (waiting !== undefined) this.#send(waiting.bytes, waiting.done);
    return true;
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    this.#send(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#sink.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (!this.writableFinished) this.#sink.end();
    waiting?.done(error ?? new Error('the command has ended'));
    done(error);
  }

  #send(bytes: Buffer, done: (error?: Error | null) => void): void {
    const now = bytes.subarray(0, this.#credit);
    if (now.length > 0) {
      this.#credit -= now.length;
      this.#sink.data(now);
    }
    if (now.length === bytes.length) {
      this.#waiting = undefined;
      done();
    } else {
      this.#waiting = { bytes: bytes.subarray(now.length), done };
    }
  }
}
