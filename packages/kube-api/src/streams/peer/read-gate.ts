import type { PeerStream } from './peer-stream.ts';

export interface ReadGateOptions {
  /** Stops reading from the connection. */
  readonly close: () => void;
  readonly open: () => void;
  /** How much may wait for readers in all streams of the connection together. @default 8 MiB */
  readonly budgetBytes?: number;
}

/**
 * Decides when to read from a connection that carries several streams. The protocols have no
 * windows that clients honour, so the only way to hold one stream back is to read nothing at all:
 * a stream that nobody reads holds up the others of its connection once its own buffer is full, as
 * it does with every server of these protocols. Memory stays bounded whatever the peer sends.
 */
export class ReadGate {
  readonly #options: ReadGateOptions;
  readonly #budgetBytes: number;
  readonly #waiting = new Set<PeerStream>();
  /** Why nothing is read: streams that are full, and names of other reasons. */
  readonly #reasons = new Set<PeerStream | 'budget' | 'answers'>();
  #sinceCountedBytes = 0;

  constructor(options: ReadGateOptions) {
    this.#options = options;
    this.#budgetBytes = options.budgetBytes ?? 8 * 1024 * 1024;
  }

  get isClosed(): boolean {
    return this.#reasons.size > 0;
  }

  /** A stream that holds the others up, if there is one. */
  get culprit(): PeerStream | undefined {
    for (const reason of this.#reasons) if (typeof reason === 'object') return reason;
    for (const stream of this.#waiting) return stream;
    return undefined;
  }

  /** Hands bytes to a stream. */
  deliver(stream: PeerStream, bytes: Buffer): void {
    const takesMore = stream.deliver(bytes);
    this.#waiting.add(stream);
    if (!takesMore) this.#hold(stream);
    this.#sinceCountedBytes += bytes.length;
    if (this.#sinceCountedBytes >= this.#budgetBytes && this.#count() >= this.#budgetBytes)
      this.#hold('budget');
  }

  wanted(stream: PeerStream): void {
    this.#release(stream);
    if (this.#reasons.has('budget') && this.#count() < this.#budgetBytes / 2)
      this.#release('budget');
  }

  removed(stream: PeerStream): void {
    this.#waiting.delete(stream);
    this.wanted(stream);
  }

  /** The peer asks for answers faster than it reads them. */
  holdForAnswers(): void {
    this.#hold('answers');
  }

  answersSent(): void {
    this.#release('answers');
  }

  #count(): number {
    let bytes = 0;
    for (const stream of this.#waiting) {
      if (stream.readableLength === 0) this.#waiting.delete(stream);
      else bytes += stream.readableLength;
    }
    this.#sinceCountedBytes = bytes;
    return bytes;
  }

  #hold(reason: PeerStream | 'budget' | 'answers'): void {
    const wasOpen = !this.isClosed;
    this.#reasons.add(reason);
    if (wasOpen) this.#options.close();
  }

  #release(reason: PeerStream | 'budget' | 'answers'): void {
    if (this.#reasons.delete(reason) && !this.isClosed) this.#options.open();
  }
}
