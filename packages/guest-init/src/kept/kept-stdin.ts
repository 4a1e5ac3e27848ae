import { Writable } from 'node:stream';
import { STDIN_WINDOW_BYTES } from '../wire.ts';

/** Buffers that are held before they become one. */
const PIECES_MAX = 32;

type Done = (error?: Error | null) => void;

/** Where the bytes go while there is a connection. */
export interface KeptStdinSink {
  data(bytes: Buffer): void;
  end(): void;
}

/** How far the init's side is at the begin of a connection. */
export interface KeptStdinState {
  /** All bytes that ever came to it. */
  readonly taken: number;
  /** Bytes that may be sent on this connection. */
  readonly credit: number;
  /** It was not closed. */
  readonly open: boolean;
}

/**
 * The stdin of a kept command. What was sent and may be lost with a connection is held until the
 * init is known to have it: at most a window.
 */
export class KeptStdin extends Writable {
  #sink: KeptStdinSink | undefined;
  #credit = 0;
  /** Not sent on this connection. */
  #queue: Buffer[] = [];
  /** Sent, and perhaps lost with the connection. */
  #sent: Buffer[] = [];
  /** Offset of the first byte in `#sent`. */
  #sentFrom: number;
  /** Offset of the first byte that the command has not taken from the init. */
  #grantedTo: number;
  #done: Done | undefined;
  #held = false;
  #ending = false;
  #endSent = false;

  /** @param from offset of the first byte that is written */
  constructor(from = 0) {
    super({ highWaterMark: STDIN_WINDOW_BYTES, decodeStrings: true });
    this.#sentFrom = from;
    this.#grantedTo = from;
    this.on('error', () => {});
  }

  /** False when what the init says of itself cannot be. */
  attach(sink: KeptStdinSink, { taken, credit, open }: KeptStdinState): boolean {
    const sent = Buffer.concat(this.#sent);
    const lostFrom = taken - this.#sentFrom;
    if (lostFrom < 0 || lostFrom > sent.length || credit > STDIN_WINDOW_BYTES) return false;
    if (lostFrom < sent.length) this.#queue.unshift(sent.subarray(lostFrom));
    this.#sent = [];
    this.#sentFrom = taken;
    this.#grantedTo = taken - (STDIN_WINDOW_BYTES - credit);
    this.#credit = credit;
    this.#sink = sink;
    this.#held = false;
    this.#endSent = !open;
    this.#pump();
    return true;
  }

  detach(): void {
    this.#sink = undefined;
  }

  /** Sends nothing until {@link proceed}, or until the next connection. */
  hold(): void {
    this.#held = true;
  }

  proceed(): void {
    this.#held = false;
    this.#pump();
  }

  /** False when the peer granted more than was ever used. */
  grant(bytes: number): boolean {
    if (bytes > STDIN_WINDOW_BYTES - this.#credit) return false;
    this.#credit += bytes;
    this.#grantedTo += bytes;
    this.#forgetTo(this.#grantedTo);
    this.#pump();
    return true;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#queue.push(chunk);
    this.#done = done;
    this.#pump();
  }

  override _final(done: Done): void {
    this.#ending = true;
    this.#pump();
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    const waiting = this.#done;
    this.#done = undefined;
    this.#ending = true;
    this.#queue = [];
    this.#pump();
    waiting?.(error ?? new Error('the command has ended'));
    done(error);
  }

  #pump(): void {
    const sink = this.#sink;
    if (sink === undefined || this.#held) return;
    for (let next = this.#queue[0]; next !== undefined && this.#credit > 0; next = this.#queue[0]) {
      const piece = next.subarray(0, this.#credit);
      if (piece.length === next.length) this.#queue.shift();
      else this.#queue[0] = next.subarray(piece.length);
      this.#credit -= piece.length;
      if (piece.length > 0) {
        this.#sent.push(Buffer.from(piece));
        if (this.#sent.length > PIECES_MAX) this.#sent = [Buffer.concat(this.#sent)];
        sink.data(piece);
      }
    }
    if (this.#queue.length > 0) return;
    const done = this.#done;
    this.#done = undefined;
    done?.();
    if (this.#ending && !this.#endSent && this.#queue.length === 0) {
      this.#endSent = true;
      sink.end();
    }
  }

  #forgetTo(offset: number): void {
    let first = this.#sent[0];
    while (first !== undefined && this.#sentFrom < offset) {
      const bytes = Math.min(first.length, offset - this.#sentFrom);
      if (bytes === first.length) this.#sent.shift();
      else this.#sent[0] = first.subarray(bytes);
      this.#sentFrom += bytes;
      first = this.#sent[0];
    }
  }
}
