import type { Duplex } from 'node:stream';
import { Heartbeat, type HeartbeatTiming } from '../peer/heartbeat.ts';
import { type PeerLink, PeerStream } from '../peer/peer-stream.ts';
import { ReadGate } from '../peer/read-gate.ts';
import { FrameDecoder } from './frame-decoder.ts';
import {
  dataHead,
  finFlag,
  frameTypes,
  goAwayFrame,
  pingFrame,
  resetCodes,
  rstStreamFrame,
  synReplyFrame,
} from './frames.ts';
import { HeaderReader, type SpdyHeaders, HeaderWriter } from './header-block.ts';
import { SpdyError } from './spdy-error.ts';

export interface SpdySessionOptions {
  /** A stream that the client opened; it has been accepted. Destroying it refuses it. */
  readonly open: (stream: PeerStream, headers: SpdyHeaders) => void;
  readonly timing?: HeartbeatTiming | undefined;
  /** Streams at once; more are refused. @default 1000 */
  readonly maxStreams?: number;
}

/** Larger writes are split, so that streams take turns. */
const maxDataFrameBytes = 64 * 1024;
/** Answers to control frames that may wait for the peer to read them. */
const maxAnswersBytes = 256 * 1024;
/** How long a peer has to end its streams after it was told that the session ends. */
const closeGraceMs = 10_000;

/**
 * The server's side of a SPDY/3.1 connection, over any byte stream. Clients of Kubernetes neither
 * send windows nor honour them, so there are none: what holds the peer back is the byte stream
 * itself (see ReadGate). Whatever is malformed ends this connection and nothing else.
 */
export class SpdySession implements PeerLink {
  readonly #transport: Duplex;
  readonly #options: SpdySessionOptions;
  readonly #streams = new Map<number, PeerStream>();
  readonly #decoder = new FrameDecoder(this.#frameHandler());
  readonly #headerReader = new HeaderReader();
  readonly #headerWriter = new HeaderWriter();
  readonly #gate: ReadGate;
  readonly #heartbeat: Heartbeat;
  readonly #gone = new AbortController();
  readonly #closed: Promise<void>;
  #untilDrained: Array<() => void> = [];
  #answersBytes = 0;
  #lastStreamId = 0;
  #lastPingId = 0;
  #leaving = false;

  constructor(transport: Duplex, options: SpdySessionOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#heartbeat = new Heartbeat({
      beat: () => this.#answer(pingFrame((this.#lastPingId += 2))),
      probe: () => this.#probe(),
      lost: () => this.destroy(),
      timing: options.timing,
    });
    this.#gate = new ReadGate({
      close: () => {
        transport.pause();
        this.#heartbeat.pause();
      },
      open: () => {
        this.#heartbeat.resume();
        transport.resume();
      },
    });
    transport.on('data', (chunk: Buffer) => this.#receive(chunk));
    transport.on('drain', () => this.#drained());
    transport.on('end', () => this.destroy());
    transport.on('error', () => this.destroy());
    this.#closed = new Promise((resolve) => {
      transport.on('close', () => {
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

  /** Tells the peer that the session ends, and ends it when the streams have. */
  close(): void {
    if (this.#leaving || this.#transport.destroyed) return;
    this.#leaving = true;
    this.#answer(goAwayFrame(this.#lastStreamId, 0));
    this.#destroyLater();
    this.#endIfIdle();
  }

  /** Ends everything at once. */
  destroy(): void {
    this.#transport.destroy();
    this.#end();
  }

  send(stream: PeerStream, bytes: Buffer, done: (error?: Error) => void): void {
    if (this.#transport.destroyed) return done(clientGone());
    this.#transport.cork();
    for (let at = 0; at < bytes.length; at += maxDataFrameBytes) {
      const part = bytes.subarray(at, at + maxDataFrameBytes);
      this.#transport.write(dataHead(stream.id, part.length, false));
      this.#transport.write(part);
    }
    this.#transport.uncork();
    this.#whenTaken(done);
  }

  finish(stream: PeerStream, done: (error?: Error) => void): void {
    this.#write(dataHead(stream.id, 0, true));
    this.#whenTaken(done);
  }

  wanted(stream: PeerStream): void {
    this.#gate.wanted(stream);
  }

  released(stream: PeerStream): void {
    if (!this.#streams.delete(stream.id)) return;
    if (!(stream.peerEnded && stream.writableFinished))
      this.#answer(rstStreamFrame(stream.id, resetCodes.cancel));
    this.#gate.removed(stream);
    this.#endIfIdle();
  }

  #receive(chunk: Buffer): void {
    this.#heartbeat.heard();
    // What is answered to one chunk is written at once.
    this.#transport.cork();
    try {
      this.#decoder.push(chunk);
      this.#transport.uncork();
    } catch {
      this.destroy();
    }
  }

  #frameHandler() {
    return {
      control: (type: number, flags: number, payload: Buffer) => {
        this.#control(type, flags, payload);
      },
      data: (streamId: number, bytes: Buffer) => {
        const stream = this.#streams.get(streamId);
        if (stream !== undefined) this.#gate.deliver(stream, bytes);
        else this.#refuseUnknown(streamId);
      },
      dataEnd: (streamId: number) => this.#streams.get(streamId)?.deliverEnd(),
    };
  }

  /** Data for a stream that was reset may still be on its way; for one that never was, it may not. */
  #refuseUnknown(streamId: number): void {
    if (streamId > this.#lastStreamId)
      throw new SpdyError(`There is no stream ${streamId} to send on.`);
  }

  #control(type: number, flags: number, payload: Buffer): void {
    switch (type) {
      case frameTypes.synStream:
        requireBytes(payload, 10);
        return this.#opened(
          payload.readUInt32BE() & 0x7fffffff,
          (flags & finFlag) !== 0,
          this.#headerReader.read(payload.subarray(10)),
        );
      case frameTypes.synReply:
      case frameTypes.headers:
        requireBytes(payload, 4);
        this.#headerReader.read(payload.subarray(4));
        if ((flags & finFlag) !== 0)
          this.#streams.get(payload.readUInt32BE() & 0x7fffffff)?.deliverEnd();
        return;
      case frameTypes.rstStream:
        requireBytes(payload, 8);
        return this.#reset(payload.readUInt32BE() & 0x7fffffff);
      case frameTypes.ping:
        requireBytes(payload, 4);
        // Those with even numbers are answers.
        if (payload.readUInt32BE() % 2 === 1) this.#answer(pingFrame(payload.readUInt32BE()));
        return;
      case frameTypes.goAway:
        this.#leaving = true;
        return this.#endIfIdle();
      default:
        // Settings, windows, and types that are not known have no meaning here.
        return;
    }
  }

  #opened(id: number, fin: boolean, headers: SpdyHeaders): void {
    if (id % 2 === 0 || id <= this.#lastStreamId)
      throw new SpdyError(`A client cannot open stream ${id} after ${this.#lastStreamId}.`);
    this.#lastStreamId = id;
    if (this.#leaving || this.#streams.size >= (this.#options.maxStreams ?? 1000)) {
      this.#answer(rstStreamFrame(id, resetCodes.refusedStream));
      return;
    }
    const stream = new PeerStream(id, this);
    this.#streams.set(id, stream);
    this.#answer(synReplyFrame(id, this.#headerWriter.write(new Map())));
    if (fin) stream.deliverEnd();
    this.#options.open(stream, headers);
  }

  #reset(id: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.#streams.delete(id);
    this.#gate.removed(stream);
    stream.destroy(new Error('The client reset the stream.'));
    this.#endIfIdle();
  }

  /** Sends what a control frame, and not a stream, asks for. */
  #answer(frame: Buffer): void {
    if (this.#write(frame)) return;
    this.#answersBytes += frame.length;
    if (this.#answersBytes > maxAnswersBytes) this.#gate.holdForAnswers();
  }

  #write(bytes: Buffer): boolean {
    return this.#transport.destroyed || this.#transport.writableEnded
      ? true
      : this.#transport.write(bytes);
  }

  #whenTaken(done: (error?: Error) => void): void {
    if (this.#transport.destroyed) done(clientGone());
    else if (this.#transport.writableNeedDrain)
      this.#untilDrained.push(() => done(this.#transport.destroyed ? clientGone() : undefined));
    else done();
  }

  #drained(): void {
    const waiting = this.#untilDrained;
    this.#untilDrained = [];
    for (const done of waiting) done();
    this.#answersBytes = 0;
    this.#gate.answersSent();
  }

  /** Sends no bytes on a stream: nothing that the peer has to answer. */
  #probe(): void {
    const stream = this.#gate.culprit;
    if (stream !== undefined && !this.#transport.writableNeedDrain)
      this.#write(dataHead(stream.id, 0, false));
  }

  #endIfIdle(): void {
    const isOver = this.#transport.destroyed || this.#transport.writableEnded;
    if (!this.#leaving || this.#streams.size > 0 || isOver) return;
    this.#transport.end();
    this.#destroyLater();
  }

  #destroyLater(): void {
    setTimeout(() => this.destroy(), closeGraceMs).unref();
  }

  #end(): void {
    if (this.#gone.signal.aborted) return;
    this.#heartbeat.stop();
    this.#decoder.stop();
    this.#gone.abort(clientGone());
    for (const stream of this.#streams.values()) stream.destroy(clientGone());
    this.#drained();
  }
}

const clientGone = (): Error => new Error('The client has gone.');

function requireBytes(payload: Buffer, bytes: number): void {
  if (payload.length < bytes) throw new SpdyError('A control frame is too short.');
}
