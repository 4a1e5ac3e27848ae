import type { IncomingMessage } from 'node:http';
import { logWhenDone, requestIdOf } from '@sandport/server';
import type { Logger } from 'pino';
import type { RequestHandler } from './secure-listener.ts';

const longestPath = 200;

/** The same handler; every request, and every connection that was handed over, leaves a line. */
export function withAccessLog(handler: RequestHandler, logger: Logger): RequestHandler {
  return {
    handle: (request, response) => {
      const requestId = requestIdOf(request);
      const route = pathOf(request);
      const counted = { bytesIn: 0, errorCode: undefined };
      logWhenDone({ request, response, requestId, route, ...counted }, logger);
      return handler.handle(request, response);
    },
    handleUpgrade: (request, socket, head) => {
      const fields = {
        id: requestIdOf(request),
        method: request.method,
        route: pathOf(request),
        upgrade: request.headers.upgrade?.slice(0, 32),
      };
      const startedAt = performance.now();
      socket.once('close', () =>
        logger.info({ ...fields, ms: Math.round(performance.now() - startedAt) }),
      );
      return handler.handleUpgrade(request, socket, head);
    },
  };
}

/** Without the query, which may hold a command. */
const pathOf = ({ url = '/' }: IncomingMessage): string =>
  (url.split('?', 1)[0] ?? '/').slice(0, longestPath);
