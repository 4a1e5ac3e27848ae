import type { RawData, WebSocket } from 'ws';
import { Heartbeat, type HeartbeatTiming } from '../peer/heartbeat.ts';
import { type PeerLink, PeerStream } from '../peer/peer-stream.ts';
import { ReadGate } from '../peer/read-gate.ts';
import { asBuffer } from './as-buffer.ts';

export interface ChannelSessionOptions {
  readonly channels: readonly number[];
  /** The client may end a channel, with a message on channel 255. */
  readonly canEndChannels: boolean;
  readonly timing?: HeartbeatTiming | undefined;
}

/** Some clients send all of a command's input as one message. */
export const maxChannelMessageBytes = 16 * 1024 * 1024;

const endChannel = 255;
const maxSentBytes = 64 * 1024;
/** How long a peer has to answer that the WebSocket is closed. */
const closeGraceMs = 10_000;

/**
 * The `channel.k8s.io` protocols: the first byte of each message names the stream that the others
 * belong to. One direction of a stream cannot be ended towards the client.
 */
export class ChannelSession implements PeerLink {
  readonly #socket: WebSocket;
  readonly #canEndChannels: boolean;
  readonly #streams: ReadonlyMap<number, PeerStream>;
  readonly #gate: ReadGate;
  readonly #heartbeat: Heartbeat;
  readonly #gone = new AbortController();
  readonly #closed: Promise<void>;

  constructor(socket: WebSocket, options: ChannelSessionOptions) {
    this.#socket = socket;
    this.#canEndChannels = options.canEndChannels;
    this.#streams = new Map(options.channels.map((id) => [id, new PeerStream(id, this)]));
    this.#heartbeat = new Heartbeat({
      beat: () => socket.ping(),
      // An answer to a ping that nobody sent.
      probe: () => socket.pong(),
      lost: () => this.destroy(),
      timing: options.timing,
    });
    this.#gate = new ReadGate({
      close: () => {
        socket.pause();
        this.#heartbeat.pause();
      },
      open: () => {
        this.#heartbeat.resume();
        socket.resume();
      },
    });
    socket.on('message', (data) => this.#receive(data));
    socket.on('ping', () => this.#heartbeat.heard());
    socket.on('pong', () => this.#heartbeat.heard());
    socket.on('error', () => this.destroy());
    this.#closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#end();
        resolve();
      });
    });
  }

  /** Resolves when the connection is gone. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Aborts when the connection is gone. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** @throws RangeError when it is not one of the session's channels */
  stream(channel: number): PeerStream {
    const stream = this.#streams.get(channel);
    if (stream === undefined) throw new RangeError(`There is no channel ${channel}.`);
    return stream;
  }

  /** Closes the WebSocket after what has been sent. */
  close(): void {
    for (const stream of this.#streams.values()) stream.destroy();
    this.#socket.close(1000);
    setTimeout(() => this.destroy(), closeGraceMs).unref();
  }

  /** Ends everything at once. */
  destroy(): void {
    this.#socket.terminate();
    this.#end();
  }

  send(stream: PeerStream, bytes: Buffer, done: (error?: Error) => void): void {
    const isLast = bytes.length <= maxSentBytes;
    const message = Buffer.allocUnsafe(Math.min(bytes.length, maxSentBytes) + 1);
    message.writeUInt8(stream.id);
    bytes.copy(message, 1);
    this.#socket.send(message, { binary: true }, (error) => {
      if (error !== undefined && error !== null) done(error);
      else if (isLast) done();
      else this.send(stream, bytes.subarray(maxSentBytes), done);
    });
  }

  finish(_stream: PeerStream, done: (error?: Error) => void): void {
    done();
  }

  wanted(stream: PeerStream): void {
    this.#gate.wanted(stream);
  }

  released(stream: PeerStream): void {
    this.#gate.removed(stream);
  }

  #receive(data: RawData): void {
    this.#heartbeat.heard();
    const message = asBuffer(data);
    const [channel, ended] = message;
    if (channel === undefined) return;
    if (channel === endChannel && this.#canEndChannels) {
      if (ended !== undefined) this.#streams.get(ended)?.deliverEnd();
      return;
    }
    const stream = this.#streams.get(channel);
    if (stream !== undefined && !stream.destroyed && message.length > 1)
      this.#gate.deliver(stream, message.subarray(1));
  }

  #end(): void {
    if (this.#gone.signal.aborted) return;
    this.#heartbeat.stop();
    const error = new Error('The client has gone.');
    this.#gone.abort(error);
    for (const stream of this.#streams.values()) stream.destroy(error);
  }
}
