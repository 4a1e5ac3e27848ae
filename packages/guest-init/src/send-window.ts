type Done = (error?: Error | null) => void;

/** Sends no more of one stream than the init has room for. */
export class SendWindow {
  readonly #send: (bytes: Buffer) => void;
  readonly #windowBytes: number;
  #credit: number;
  #waiting: { bytes: Buffer; done: Done } | undefined;

  constructor(windowBytes: number, send: (bytes: Buffer) => void) {
    this.#windowBytes = windowBytes;
    this.#credit = windowBytes;
    this.#send = send;
  }

  /** False when the peer granted more than was ever used. */
  grant(bytes: number): boolean {
    if (bytes > this.#windowBytes - this.#credit) return false;
    this.#credit += bytes;
    const waiting = this.#waiting;
    if (waiting !== undefined) this.write(waiting.bytes, waiting.done);
    return true;
  }

  /** Calls `done` when all has been sent; until then nothing else may be written. */
  write(bytes: Buffer, done: Done): void {
    const now = bytes.subarray(0, this.#credit);
    if (now.length > 0) {
      this.#credit -= now.length;
      this.#send(now);
    }
    if (now.length === bytes.length) {
      this.#waiting = undefined;
      done();
    } else {
      this.#waiting = { bytes: bytes.subarray(now.length), done };
    }
  }

  /** What waits is not sent any more. */
  drop(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.done(error);
  }
}
