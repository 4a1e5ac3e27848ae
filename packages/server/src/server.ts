import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Engine } from '@sandport/engine';
import { SandportFault } from '@sandport/protocol';
import type { Logger } from 'pino';
import { authenticate } from './http/authenticate.ts';
import { answerBrokenRequest } from './http/broken-request.ts';
import { Exchange } from './http/exchange.ts';
import { answerFault } from './http/faults.ts';
import { type Route, Router } from './http/router.ts';
import { logWhenDone } from './http/request-log.ts';
import { nativeRoutes } from './native/routes.ts';

export interface ServerOptions {
  readonly engine: Engine;
  readonly logger: Logger;
  /** Release that `/version` names. */
  readonly version: string;
  /** A transfer that moves no byte for so long is given up, in milliseconds. @default 60_000 */
  readonly idleTimeoutMs?: number;
}

/** The HTTP server of the daemon. */
export class HttpServer {
  readonly #options: ServerOptions;
  readonly #router: Router;
  readonly #server: Server;
  /** Ends the answers that have no end of their own. */
  readonly #stopping = new AbortController();

  constructor(options: ServerOptions) {
    this.#options = options;
    const routes: Route[] = nativeRoutes(options.engine, {
      version: options.version,
      idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
      stopping: this.#stopping.signal,
    });
    this.#router = new Router(routes);
    const serve = (request: IncomingMessage, response: ServerResponse) => {
      void this.#serve(request, response);
    };
    // Transfers have idle timeouts of their own: neither a request nor a socket has a total one.
    this.#server = createServer(
      { headersTimeout: 30_000, requestTimeout: 0, keepAliveTimeout: 75_000, noDelay: true },
      serve,
    );
    this.#server.on('checkContinue', serve);
    this.#server.on('clientError', answerBrokenRequest);
  }

  /**
   * Resolves with the address once requests are taken. Port 0 takes a free one.
   * @throws Error with code EADDRINUSE and the like
   */
  listen(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 1024 }, () => {
        this.#server.off('error', reject);
        // A TCP server's address is never a string.
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Stops accepting, waits for what is under way, and cuts what is left after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#stopping.abort();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(timer);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let exchange: Exchange;
    try {
      exchange = new Exchange(request, response);
    } catch (error) {
      request.url = '/';
      exchange = new Exchange(request, response);
      answerFault(exchange, error, this.#options.logger);
      return;
    }
    logWhenDone(exchange, this.#options.logger);
    try {
      await this.#dispatch(exchange);
    } catch (error) {
      answerFault(exchange, error, this.#options.logger);
    }
  }

  async #dispatch(exchange: Exchange): Promise<void> {
    if (this.#stopping.signal.aborted) {
      exchange.response.shouldKeepAlive = false;
      throw new SandportFault('shutting_down', 'The daemon is stopping.');
    }
    const method = exchange.request.method ?? 'GET';
    const found = this.#router.find(method, exchange.path);
    if (found?.route.open !== true) authenticate(exchange, this.#options.engine);
    if (found === undefined) throw this.#router.refuse(method, exchange.path);
    exchange.route = found.route.path;
    exchange.params = found.params;
    await found.route.handle(exchange);
  }
}
