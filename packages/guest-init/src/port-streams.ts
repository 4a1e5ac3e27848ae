import { constants } from 'node:os';
import { encodeFrame, type Frame } from './frames.ts';
import { InitError } from './init-error.ts';
import { PortStream } from './port-stream.ts';
import type { Received } from './running-command.ts';
import { CONNECTIONS_MAX, ToInit } from './wire.ts';

/** For a port whose program accepts nothing. */
const CONNECT_TIMEOUT_MS = 10_000;

/** The connections to ports that one init holds. */
export class PortStreams {
  readonly #streams = new Map<number, PortStream>();
  readonly #send: (frame: Buffer) => void;
  /** What a suspension that is under way ends. */
  #doomed: readonly PortStream[] = [];

  constructor(send: (frame: Buffer) => void) {
    this.#send = send;
  }

  get size(): number {
    return this.#streams.size;
  }

  has(id: number): boolean {
    return this.#streams.has(id);
  }

  /** @throws InitError `not_connected`, or why the connection to the init ended meanwhile */
  async open(id: number, port: number): Promise<PortStream> {
    if (this.#streams.size >= CONNECTIONS_MAX) throw InitError.notConnected(constants.errno.EMFILE);
    const stream = new PortStream(id, this.#send);
    this.#streams.set(id, stream);
    const timer = setTimeout(
      () => stream.fail(InitError.notConnected(constants.errno.ETIMEDOUT)),
      CONNECT_TIMEOUT_MS,
    );
    const payload = Buffer.allocUnsafe(2);
    payload.writeUInt16LE(port, 0);
    this.#send(encodeFrame(ToInit.connect, id, payload));
    try {
      return await stream.connected;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Undefined when the frame is about none of them. */
  receive(frame: Frame): Received | undefined {
    const stream = this.#streams.get(frame.id);
    const received = stream?.receive(frame);
    if (received === 'over') this.#streams.delete(frame.id);
    return received;
  }

  /** Breaks all; the init is told. */
  failAll(error: Error): void {
    for (const stream of this.#streams.values()) stream.fail(error);
  }

  /** A suspension begins. What is opened from now on waits for its end. */
  suspend(): void {
    this.#doomed = [...this.#streams.values()];
  }

  /** It has ended; `error`: the init has forgotten what there was when it began. */
  suspended(error?: Error): void {
    const doomed = this.#doomed;
    this.#doomed = [];
    if (error === undefined) return;
    for (const stream of doomed) {
      this.#streams.delete(stream.id);
      stream.forget(error);
    }
  }

  /** Breaks all: the init is gone. */
  forgetAll(error: Error): void {
    for (const stream of this.#streams.values()) stream.forget(error);
    this.#streams.clear();
  }
}
