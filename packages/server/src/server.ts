import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Engine } from '@sandport/engine';
import { SandportFault } from '@sandport/protocol';
import type { Logger } from 'pino';
import { authenticate } from './http/authenticate.ts';
import { answerBrokenRequest } from './http/broken-request.ts';
import { endWhenRevoked } from './http/end-when-revoked.ts';
import { Exchange, requestIdOf } from './http/exchange.ts';
import { answerFault } from './http/faults.ts';
import { ignoreUpgrade } from './http/ignore-upgrade.ts';
import { connectionOptions, Listener } from './http/listener.ts';
import { behind, type Mount } from './http/mount.ts';
import { type Route, Router } from './http/router.ts';
import { logWhenDone } from './http/request-log.ts';
import { serveUpgrade, takesUpgrade } from './http/upgrade.ts';
import type { KubernetesAccess } from './native/kubernetes.ts';
import type { SshAccess } from './native/ssh.ts';
import { nativeRoutes } from './native/routes.ts';
import type { PreviewHostSetting } from './previews/preview-host.ts';
import { Previews } from './previews/previews.ts';

export interface ServerOptions {
  readonly engine: Engine;
  readonly logger: Logger;
  /** Release that `/version` names. */
  readonly version: string;
  /** A transfer that moves no byte for so long is given up, in milliseconds. @default 60_000 */
  readonly idleTimeoutMs?: number;
  /** Paths that other protocols answer. @default none */
  readonly mounts?: readonly Mount[];
  /**
   * Origins of web pages, as `https://example.com`, that may open WebSockets, beside those of the
   * daemon's own address. @default none
   */
  readonly allowedOrigins?: readonly string[];
  /** Where ports of sandboxes have addresses of their own. @default below `localhost` */
  readonly previewHost?: PreviewHostSetting;
  /** How to reach the daemon as a Kubernetes API. @default nothing: it is off */
  readonly kubernetes?: KubernetesAccess;
  /** How to reach the daemon with SSH. @default nothing: it is off */
  readonly ssh?: SshAccess;
}

/** The HTTP server of the daemon. */
export class HttpServer {
  readonly #options: ServerOptions;
  readonly #router: Router;
  readonly #previews: Previews;
  readonly #server: Server;
  readonly #listener: Listener;
  readonly #upgraded = new Set<Duplex>();
  /** Ends the answers that have no end of their own. */
  readonly #stopping = new AbortController();

  constructor(options: ServerOptions) {
    this.#options = options;
    // One for each of those answers.
    setMaxListeners(0, this.#stopping.signal);
    const { engine, previewHost = { suffix: 'localhost' } } = options;
    this.#previews = new Previews({ engine, host: previewHost });
    const routes: Route[] = nativeRoutes(engine, {
      previewHost,
      version: options.version,
      idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
      stopping: this.#stopping.signal,
      onUnexpected: (err) => options.logger.error({ err }, 'unexpected error'),
      kubernetes: options.kubernetes,
      ssh: options.ssh,
    });
    this.#router = new Router(routes);
    const serve = (request: IncomingMessage, response: ServerResponse) => {
      void this.#serve(request, response);
    };
    this.#server = createServer(connectionOptions, serve);
    this.#listener = new Listener(this.#server);
    this.#server.on('checkContinue', serve);
    this.#server.on('clientError', answerBrokenRequest);
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgrade(request, socket, head);
    });
  }

  /**
   * Resolves with the address once requests are taken. Port 0 takes a free one.
   * @throws Error with code EADDRINUSE and the like
   */
  listen(host: string, port: number): Promise<AddressInfo> {
    return this.#listener.listen(host, port);
  }

  /** Stops accepting, waits for what is under way, and cuts what is left after `graceMs`. */
  close(graceMs: number): Promise<void> {
    this.#stopping.abort();
    // These have no end of their own.
    for (const socket of this.#upgraded) socket.destroy();
    return this.#listener.close(graceMs);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const preview = this.#previews.find(request);
    const mounted = preview === undefined ? this.#mountOf(request) : undefined;
    if (mounted !== undefined) return this.#serveMount(mounted, request, response);
    // What is not for the daemon is not looked at.
    if (preview !== undefined) request.url = '/';
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
      await this.#dispatch(exchange, preview);
    } catch (error) {
      answerFault(exchange, error, this.#options.logger);
    }
  }

  async #dispatch(exchange: Exchange, preview: Route | undefined): Promise<void> {
    if (this.#stopping.signal.aborted) {
      exchange.response.shouldKeepAlive = false;
      throw new SandportFault('shutting_down', 'The daemon is stopping.');
    }
    const method = exchange.request.method ?? 'GET';
    const found =
      preview === undefined
        ? this.#router.find(method, exchange.path)
        : { route: preview, params: {} };
    if (found?.route.open !== true) {
      const { engine } = this.#options;
      authenticate(exchange, engine);
      endWhenRevoked(exchange, exchange.principal, engine);
    }
    if (found === undefined) throw this.#router.refuse(method, exchange.path);
    exchange.route = found.route.path;
    exchange.params = found.params;
    await found.route.handle(exchange);
  }

  #mountOf({ url = '/' }: IncomingMessage): { mount: Mount; rest: string } | undefined {
    for (const mount of this.#options.mounts ?? []) {
      const rest = behind(mount.path, url);
      if (rest !== undefined) return { mount, rest };
    }
    return undefined;
  }

  async #serveMount(
    { mount, rest }: { mount: Mount; rest: string },
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const requestId = requestIdOf(request);
    const { logger } = this.#options;
    const route = mount.path;
    logWhenDone({ request, response, requestId, route, bytesIn: 0, errorCode: undefined }, logger);
    request.headers['x-request-id'] = requestId;
    request.url = rest;
    if (this.#stopping.signal.aborted) response.shouldKeepAlive = false;
    try {
      await mount.handle(request, response);
    } catch (error) {
      logger.error({ id: requestId, route, err: error }, 'unexpected error');
      response.destroy();
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const preview = this.#previews.find(request);
    const { method = 'GET', url = '/' } = request;
    const found =
      preview === undefined
        ? (this.#mountOf(request) ?? this.#router.find(method, url.split('?', 1)[0] ?? url))
        : { route: preview, params: {} };
    if (found === undefined || ('route' in found && !takesUpgrade(found.route, request))) {
      ignoreUpgrade(this.#server, request, socket, head);
      return;
    }
    // Whoever is at the other end may leave at any time.
    socket.on('error', () => socket.destroy());
    this.#upgraded.add(socket);
    socket.once('close', () => this.#upgraded.delete(socket));
    if ('route' in found) {
      const { engine, logger, allowedOrigins = [] } = this.#options;
      const stopping = this.#stopping.signal;
      const options = { engine, logger, stopping, allowedOrigins };
      if (preview !== undefined) request.url = '/';
      void serveUpgrade(found, { request, socket, head }, options);
      return;
    }
    const { mount, rest } = found;
    request.url = rest;
    mount.upgrade(request, socket, head).catch((error: unknown) => {
      this.#options.logger.error({ route: mount.path, err: error }, 'unexpected error');
      socket.destroy();
    });
  }
}
