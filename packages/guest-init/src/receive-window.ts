import { OUTPUT_WINDOW_BYTES } from './wire.ts';

/** Credit goes back in portions of at least this. */
const GRANT_BYTES = 128 * 1024;
/** Smaller chunks are copied together, so that many tiny ones do not hold much memory. */
const SMALL_BYTES = 4 * 1024;
const JOIN_BYTES = 16 * 1024;

export interface ReceiveWindowOptions {
  /** Tells the peer that it may send so much more. */
  readonly grant: (bytes: number) => void;
  /** Hands on what came, `null` at its end. False: no more until {@link ReceiveWindow.want}. */
  readonly push: (chunk: Buffer | null) => boolean;
}

/** What came from the guest for one stream and was not read yet: at most a window of it. */
export class ReceiveWindow {
  readonly #options: ReceiveWindowOptions;
  #credit = OUTPUT_WINDOW_BYTES;
  #consumed = 0;
  #queue: Buffer[] = [];
  /** Bytes used of the last queue entry, when that is a buffer for small chunks. */
  #joined: { buffer: Buffer; used: number } | undefined;
  #wanted = false;
  #finished = false;
  #dropped = false;

  constructor(options: ReceiveWindowOptions) {
    this.#options = options;
  }

  /** False when the peer sent more than it was granted, or after its end. */
  receive(chunk: Buffer): boolean {
    if (chunk.length === 0 || chunk.length > this.#credit || this.#finished) return false;
    this.#credit -= chunk.length;
    if (this.#dropped) {
      this.#consume(chunk.length);
    } else {
      this.#enqueue(chunk);
      if (this.#wanted) this.#deliver();
    }
    return true;
  }

  /** No more comes. False when that was said before. */
  finish(): boolean {
    if (this.#finished) return false;
    this.#finished = true;
    if (this.#wanted && !this.#dropped) this.#deliver();
    return true;
  }

  /** The reader has room. */
  want(): void {
    this.#wanted = true;
    this.#deliver();
  }

  /** The reader is gone: what is here and what comes is taken and thrown away. */
  drop(): void {
    this.#dropped = true;
    const dropped = this.#queue.reduce((sum, chunk) => sum + chunk.length, 0);
    const unused = this.#joined === undefined ? 0 : JOIN_BYTES - this.#joined.used;
    this.#queue = [];
    this.#joined = undefined;
    this.#consume(dropped - unused);
  }

  #enqueue(chunk: Buffer): void {
    const joined = this.#joined;
    if (joined !== undefined && chunk.length <= JOIN_BYTES - joined.used) {
      joined.used += chunk.copy(joined.buffer, joined.used);
      return;
    }
    this.#closeJoined();
    if (chunk.length > SMALL_BYTES) {
      this.#queue.push(chunk);
    } else if (this.#wanted && this.#queue.length === 0) {
      this.#queue.push(Buffer.from(chunk));
    } else {
      const buffer = Buffer.allocUnsafe(JOIN_BYTES);
      this.#joined = { buffer, used: chunk.copy(buffer) };
      this.#queue.push(buffer);
    }
  }

  #closeJoined(): void {
    if (this.#joined === undefined) return;
    this.#queue[this.#queue.length - 1] = this.#joined.buffer.subarray(0, this.#joined.used);
    this.#joined = undefined;
  }

  #deliver(): void {
    this.#closeJoined();
    while (this.#wanted) {
      const chunk = this.#queue.shift();
      if (chunk === undefined) break;
      this.#wanted = this.#options.push(chunk);
      this.#consume(chunk.length);
    }
    if (this.#finished && this.#queue.length === 0) this.#options.push(null);
  }

  #consume(bytes: number): void {
    this.#consumed += bytes;
    if (this.#consumed < GRANT_BYTES || this.#finished) return;
    this.#credit += this.#consumed;
    this.#options.grant(this.#consumed);
    this.#consumed = 0;
  }
}
