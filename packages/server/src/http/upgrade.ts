import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Engine } from '@sandport/engine';
import { SandportFault } from '@sandport/protocol';
import type { Logger } from 'pino';
import { authenticate } from './authenticate.ts';
import { endWhenRevoked } from './end-when-revoked.ts';
import { Exchange } from './exchange.ts';
import { answerFault } from './faults.ts';
import { refuseForeignOrigin } from './origin.ts';
import { logWhenDone } from './request-log.ts';
import type { Route } from './router.ts';
import { upgradeKeyOf } from './upgrade-key-of.ts';

/** A connection whose client wants to go on with another protocol. */
export interface Upgrade {
  /** The request. Its `signal` aborts when the connection is closed. */
  readonly exchange: Exchange;
  /** Nothing was written to it. */
  readonly socket: Duplex;
  /** What came behind the head of the request. */
  readonly head: Buffer;
}

export interface UpgradeOptions {
  readonly engine: Engine;
  readonly logger: Logger;
  readonly stopping: AbortSignal;
  /** Origins of web pages, as `https://example.com`, that may use routes which need a key. */
  readonly allowedOrigins: readonly string[];
}

/** True when the route takes the connection over for this request. */
export function takesUpgrade(route: Route | undefined, request: IncomingMessage): boolean {
  if (route?.upgrade === undefined || hasBody(request)) return false;
  const offered = (request.headers.upgrade ?? '').trim().toLowerCase();
  // Clients offer HTTP/2 on every request and rely on its being ignored.
  return route.anyProtocol === true ? offered !== 'h2c' : offered === 'websocket';
}

/** What follows the head of such a request is not the other protocol yet. */
const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;

/** Hands a connection to a route, for which {@link takesUpgrade} was true, or answers with an error. */
export async function serveUpgrade(
  found: { route: Route; params: Record<string, string> },
  { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
  options: UpgradeOptions,
): Promise<void> {
  const { route, params } = found;
  const writtenBefore = request.socket.bytesWritten;
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(request.socket);
  response.once('finish', () => request.socket.destroySoon());
  let exchange: Exchange;
  try {
    exchange = new Exchange(request, response);
  } catch (error) {
    request.url = '/';
    answerFault(new Exchange(request, response), error, options.logger);
    return;
  }
  exchange.route = route.path;
  exchange.params = params;
  logWhenDone(exchange, options.logger);
  try {
    if (options.stopping.aborted)
      throw new SandportFault('shutting_down', 'The daemon is stopping.');
    if (route.open !== true) {
      refuseForeignOrigin(request.headers, options.allowedOrigins);
      authenticate(exchange, options.engine, upgradeKeyOf(exchange));
      endWhenRevoked(exchange, exchange.principal, options.engine);
    }
    response.statusCode = 101;
    await route.upgrade?.({ exchange, socket, head });
  } catch (error) {
    if (request.socket.bytesWritten === writtenBefore) {
      answerFault(exchange, error, options.logger);
      return;
    }
    if (!(error instanceof SandportFault))
      options.logger.error(
        { id: exchange.requestId, route: route.path, err: error },
        'unexpected error',
      );
    socket.destroy();
  }
}
