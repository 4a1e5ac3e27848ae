import { Duplex } from 'node:stream';

/** One end of a connection within the process. What is written here is read at the other end. */
export class PairEnd extends Duplex {
  /** As sockets have it. */
  bytesWritten = 0;
  #other: PairEnd | undefined;
  /** Held back until the other end reads on. */
  #taken: (() => void) | undefined;

  constructor() {
    super({ allowHalfOpen: true, emitClose: true, autoDestroy: true });
  }

  /** The two ends of a new connection, half-closable in both directions. */
  static pair(): [PairEnd, PairEnd] {
    const [one, two] = [new PairEnd(), new PairEnd()];
    one.#other = two;
    two.#other = one;
    return [one, two];
  }

  override _read(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    const other = this.#other;
    if (other === undefined || other.destroyed) {
      done(new Error('the other end of the connection has gone'));
      return;
    }
    this.bytesWritten += chunk.length;
    if (other.push(chunk)) done();
    else other.#taken = done;
  }

  override _final(done: () => void): void {
    this.#other?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const other = this.#other;
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
    done(error);
    if (other === undefined || other.destroyed) return;
    // An end that went after all was said leaves the other its unread rest.
    if (this.writableFinished && error === null) return;
    other.destroy(error === null ? undefined : new Error('the other end of the connection broke'));
  }
}
