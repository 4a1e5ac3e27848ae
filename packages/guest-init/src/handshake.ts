import { createHash, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { encodeFrame, FrameReader } from './frames.ts';
import {
  FromInit,
  PROTOCOL_VERSION,
  PROTOCOL_VERSION_FIRST,
  PROTOCOL_VERSION_SECOND,
  PROTOCOL_VERSION_THIRD,
  ToInit,
} from './wire.ts';

/** Time for a peer to present the token. */
const HELLO_TIMEOUT_MS = 5_000;
/** Peers that may be about to present it; a further one replaces the oldest. */
const PENDING_MAX = 8;
/** A HELLO is no longer than this. */
const HELLO_MAX_BYTES = 512;

const VERSIONS_WITH_STATE: ReadonlySet<number> = new Set([
  PROTOCOL_VERSION,
  PROTOCOL_VERSION_THIRD,
  PROTOCOL_VERSION_SECOND,
]);

function digest(text: string | Buffer): Buffer {
  return createHash('sha256').update(text).digest();
}

/** What an init that has the token says of itself. */
export interface Hello {
  readonly version: number;
  /** Its commands wait as they were when it was suspended. */
  readonly suspended: boolean;
}

/** Takes the init in. @param resume true: its commands go on; false: it forgets the connection they had */
export function welcome(socket: Socket, { version }: Hello, resume: boolean): void {
  const mode = version === PROTOCOL_VERSION_FIRST ? [] : [resume ? 1 : 0];
  socket.write(encodeFrame(ToInit.helloOk, 0, Buffer.from([version, ...mode])));
}

/** Tells the init of a sandbox from anything else in it that connects. */
export class Handshake {
  readonly #tokenDigest: Buffer;
  readonly #onAccepted: (socket: Socket, hello: Hello) => void;
  readonly #pending = new Map<Socket, NodeJS.Timeout>();

  /** @param onAccepted must welcome the init before anything else is sent */
  constructor(token: string, onAccepted: (socket: Socket, hello: Hello) => void) {
    this.#tokenDigest = digest(token);
    this.#onAccepted = onAccepted;
  }

  /** Takes a new connection; drops it unless its first frame is a HELLO with the token. */
  begin(socket: Socket): void {
    const oldest = this.#pending.keys().next().value;
    if (this.#pending.size >= PENDING_MAX && oldest !== undefined) this.#drop(oldest);
    const timer = setTimeout(() => this.#drop(socket), HELLO_TIMEOUT_MS).unref();
    this.#pending.set(socket, timer);
    const reader = new FrameReader(HELLO_MAX_BYTES);
    socket.on('error', () => this.#drop(socket));
    socket.on('close', () => this.#drop(socket));
    socket.on('data', (chunk: Buffer) => this.#onData(socket, reader, chunk));
  }

  /** Drops every peer that has not presented the token. */
  close(): void {
    for (const socket of this.#pending.keys()) this.#drop(socket);
  }

  #onData(socket: Socket, reader: FrameReader, chunk: Buffer): void {
    if (!this.#pending.has(socket)) return;
    try {
      for (const frame of reader.read(chunk)) {
        const hello = frame.type === FromInit.hello && frame.id === 0 && parseHello(frame.payload);
        if (hello && timingSafeEqual(digest(hello.token), this.#tokenDigest))
          this.#accept(socket, hello);
        else this.#drop(socket);
        return;
      }
    } catch {
      this.#drop(socket);
    }
  }

  #accept(socket: Socket, hello: Hello): void {
    clearTimeout(this.#pending.get(socket));
    this.#pending.delete(socket);
    socket.removeAllListeners('data');
    socket.removeAllListeners('error');
    socket.removeAllListeners('close');
    this.#onAccepted(socket, hello);
  }

  #drop(socket: Socket): void {
    const timer = this.#pending.get(socket);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#pending.delete(socket);
    socket.destroy();
  }
}

function parseHello(payload: Buffer): (Hello & { token: Buffer }) | undefined {
  const version = payload[0];
  if (version === PROTOCOL_VERSION_FIRST)
    return { version, suspended: false, token: payload.subarray(1) };
  const flag = payload[1];
  if (version === undefined || !VERSIONS_WITH_STATE.has(version)) return undefined;
  if (flag !== 0 && flag !== 1) return undefined;
  return { version, suspended: flag === 1, token: payload.subarray(2) };
}
