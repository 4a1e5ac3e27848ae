import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

export interface ConnectionServerOptions<Context> {
  readonly serve: (request: IncomingMessage, response: ServerResponse, context: Context) => void;
  /** Upgrades are refused without it. */
  readonly upgrade?: (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    context: Context,
  ) => void;
  /** How long the head of a request may take. @default 30_000 */
  readonly headersTimeoutMs?: number;
}

/**
 * Serves HTTP on connections that came by any way: TCP, or a stream in a tunnel. It knows for whom
 * each of them is, and listens nowhere itself.
 */
export class ConnectionServer<Context> implements Disposable {
  readonly #server: Server;
  readonly #contexts = new WeakMap<Duplex, Context>();
  readonly #open = new Set<Duplex>();

  constructor({ serve, upgrade, headersTimeoutMs = 30_000 }: ConnectionServerOptions<Context>) {
    const dispatch = (request: IncomingMessage, response: ServerResponse) =>
      serve(request, response, this.#contextOf(request.socket));
    // Transfers have idle timeouts of their own: neither a request nor a socket has a total one.
    this.#server = createServer(
      {
        headersTimeout: headersTimeoutMs,
        requestTimeout: 0,
        keepAliveTimeout: 75_000,
        connectionsCheckingInterval: Math.min(headersTimeoutMs, 5_000),
      },
      dispatch,
    );
    this.#server.on('checkContinue', dispatch);
    this.#server.on('clientError', answerBroken);
    if (upgrade !== undefined)
      this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
        upgrade(request, socket, head, this.#contextOf(socket)),
      );
    // The clock of `headersTimeout` begins when a server listens, and this one never does.
    this.#server.emit('listening');
  }

  /** Serves a connection until it ends. */
  accept(socket: Duplex, context: Context): void {
    this.#contexts.set(socket, context);
    this.#open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#open.delete(socket));
    this.#server.emit('connection', socket);
  }

  /** Breaks the connections whose context fits; all without a filter. */
  cut(fits: (context: Context) => boolean = () => true): void {
    for (const socket of this.#open) {
      const context = this.#contexts.get(socket);
      if (context !== undefined && fits(context)) socket.destroy();
    }
  }

  [Symbol.dispose](): void {
    this.#server.close(() => undefined);
    this.cut();
  }

  #contextOf(socket: Duplex): Context {
    const context = this.#contexts.get(socket);
    if (context === undefined) throw new Error('the connection was accepted with its context');
    return context;
  }
}

/** Answers what is no request. */
function answerBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, detail] = describe(error.code);
  const body = JSON.stringify({ detail });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

function describe(code: string | undefined): [string, string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [
        '431 Request Header Fields Too Large',
        'The headers of the request are larger than 16 KiB.',
      ];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['408 Request Timeout', 'The headers of the request did not arrive in time.'];
    default:
      return ['400 Bad Request', 'This is not an HTTP/1.1 request.'];
  }
}
