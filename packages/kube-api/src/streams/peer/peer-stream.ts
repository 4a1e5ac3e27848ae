import { Duplex } from 'node:stream';

/** What a stream asks of the connection that it is a part of. */
export interface PeerLink {
  /** Sends bytes; `done` when the connection takes more. */
  send(stream: PeerStream, bytes: Buffer, done: (error?: Error) => void): void;
  /** Tells the peer that nothing more comes. */
  finish(stream: PeerStream, done: (error?: Error) => void): void;
  /** The reader of the stream has taken what waited, or most of it. */
  wanted(stream: PeerStream): void;
  /** The stream is done with, or was given up. */
  released(stream: PeerStream): void;
}

/** How much of what the peer sends waits in a stream for its reader. */
const readBufferBytes = 128 * 1024;

/**
 * One of the streams of a connection that carries several, half-closable in both directions.
 * Destroying it ends this stream only. When the connection ends, it is destroyed with an error,
 * which needs no listener.
 */
export class PeerStream extends Duplex {
  readonly id: number;
  readonly #link: PeerLink;
  #ended = false;

  constructor(id: number, link: PeerLink) {
    super({ readableHighWaterMark: readBufferBytes });
    this.id = id;
    this.#link = link;
    this.on('error', () => {});
  }

  /** True when the peer sends nothing more. */
  get peerEnded(): boolean {
    return this.#ended;
  }

  /** Takes what the peer sent; false when no more should be read for now. */
  deliver(bytes: Buffer): boolean {
    return this.#ended || this.destroyed || this.push(bytes);
  }

  deliverEnd(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (!this.destroyed) this.push(null);
  }

  override _read(): void {}

  override read(sizeBytes?: number): unknown {
    const bytes: unknown = super.read(sizeBytes);
    if (this.readableLength < this.readableHighWaterMark) this.#link.wanted(this);
    return bytes;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#link.send(this, chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#link.finish(this, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#link.released(this);
    done(error);
  }
}
