import { type RawData, WebSocket } from 'ws';
import { NetworkError, TimeoutError } from '../../errors/client-errors.ts';
import { errorOf } from '../answer-body.ts';
import { explain, type Target } from '../attempt.ts';
import { queryString, type RequestSpec } from '../request.ts';
import { type SocketMessage, SocketQueue } from './socket-queue.ts';

/** A WebSocket of the API. */
export interface SocketSpec extends Pick<RequestSpec, 'path' | 'query' | 'signal'> {
  /** Sees each message as it comes, and gives true for one that is not to be received. */
  readonly intercept?: ((message: SocketMessage) => boolean) | undefined;
}

/** Larger messages than the daemon sends are not taken. */
const maxMessageBytes = 16 * 1024 * 1024;
const closeWaitMs = 2_000;

/** One WebSocket. Reading slowly holds the sender. */
export class ClientSocket {
  readonly #socket: WebSocket;
  readonly #queue: SocketQueue;
  readonly #what: string;
  readonly #intercept: SocketSpec['intercept'];
  readonly #target: Target;
  /** Resolves when nothing comes or goes any more. */
  readonly ended: Promise<void>;
  #error: Error | undefined;
  #heard = true;

  private constructor(socket: WebSocket, what: string, target: Target, spec: SocketSpec) {
    this.#socket = socket;
    this.#intercept = spec.intercept;
    this.#queue = new SocketQueue(socket);
    this.#what = what;
    this.#target = target;
    this.ended = new Promise((resolve) => socket.once('close', () => resolve()));
    this.#listen();
  }

  /**
   * Resolves when the daemon has taken the connection over.
   * @throws SandportError when it refuses, or cannot be reached; the signal's reason
   */
  static open(target: Target, spec: SocketSpec): Promise<ClientSocket> {
    return new Promise((resolve, reject) => {
      const { signal } = spec;
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const what = `GET ${spec.path}`;
      const socket = connect(target, spec);
      const opened = new ClientSocket(socket, what, target, spec);
      const abort = () => opened.abort(signal?.reason);
      signal?.addEventListener('abort', abort, { once: true });
      socket.once('close', () => signal?.removeEventListener('abort', abort));
      socket.once('open', () => {
        opened.#watchSilence();
        resolve(opened);
      });
      socket.once('unexpected-response', (_request, message) => {
        const refused = errorOf(message).then(reject, reject);
        void refused.then(() => socket.terminate());
      });
      socket.once('error', (error) => {
        reject(signal?.aborted ? signal.reason : explain(error, target, what));
      });
    });
  }

  /** True when nothing can be sent any more. */
  get closed(): boolean {
    return this.#socket.readyState !== WebSocket.OPEN;
  }

  /** Resolves when the message has been handed to the connection, which may be slow. */
  send(message: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(message, (error) => {
        if (error === undefined || error === null) resolve();
        else reject(this.#error ?? explain(error, this.#target, this.#what));
      });
    });
  }

  /**
   * The next message; undefined once the daemon has closed the connection.
   * @throws NetworkError when it broke, TimeoutError when the daemon fell silent
   */
  async receive(): Promise<SocketMessage | undefined> {
    const message = await this.#queue.take();
    if (message === undefined && this.#error !== undefined) throw this.#error;
    return message;
  }

  /** Takes leave of the daemon; what has not been received is gone. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#socket.terminate(), closeWaitMs);
    if (this.#socket.isPaused) this.#socket.terminate();
    else this.#socket.close(1000);
    await this.ended;
    clearTimeout(timer);
  }

  /** Ends the connection at once; who receives gets this error. */
  abort(reason: unknown): void {
    this.#error ??= reason instanceof Error ? reason : new Error('aborted', { cause: reason });
    this.#socket.terminate();
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('message', (data, isBinary) => {
      this.#heard = true;
      const bytes = bytesOf(data);
      const message = isBinary ? bytes : bytes.toString('utf8');
      if (this.#intercept?.(message) !== true) this.#queue.push(message);
    });
    socket.on('ping', () => {
      this.#heard = true;
    });
    socket.on('error', (error) => {
      this.#error ??= explain(error, this.#target, this.#what);
    });
    socket.once('close', (code, reason) => {
      if (code !== 1000) this.#error ??= brokenOff(this.#what, code, reason.toString('utf8'));
      this.#queue.end();
    });
  }

  /** The daemon pings: one that is silent for so long is gone. */
  #watchSilence(): void {
    const { idleTimeoutMs } = this.#target;
    if (idleTimeoutMs <= 0) return;
    const what = this.#what;
    const watch = setInterval(() => {
      if (!this.#heard && !this.#queue.paused) {
        this.abort(
          new TimeoutError(
            `${what} was given up: nothing came from the daemon for ${idleTimeoutMs / 1000} s.`,
          ),
        );
      }
      this.#heard = this.#queue.paused;
    }, idleTimeoutMs);
    this.#socket.once('close', () => clearInterval(watch));
  }
}

function connect({ url, apiKey, idleTimeoutMs }: Target, { path, query }: SocketSpec): WebSocket {
  const base = url.href.replace(/\/$/, '').replace(/^http/, 'ws');
  return new WebSocket(`${base}${path}${queryString(query)}`, {
    headers: { authorization: `Bearer ${apiKey}` },
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    followRedirects: false,
    ...(idleTimeoutMs > 0 && { handshakeTimeout: idleTimeoutMs }),
  });
}

function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

function brokenOff(what: string, code: number, reason: string): NetworkError {
  const why = reason === '' ? `code ${code}` : `${reason}, code ${code}`;
  return new NetworkError(`${what} ended before its time (${why}).`);
}
