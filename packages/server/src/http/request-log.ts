import type { Logger } from 'pino';
import type { Exchange } from './exchange.ts';

/** What is told of a request. */
export type LoggedRequest = Pick<
  Exchange,
  'request' | 'response' | 'requestId' | 'route' | 'bytesIn' | 'errorCode'
>;

/** Writes one line when the answer is out, or when the client has gone. */
export function logWhenDone(exchange: LoggedRequest, logger: Logger): void {
  const { request, response } = exchange;
  const { socket } = request;
  const startedAt = performance.now();
  const writtenBefore = socket.bytesWritten;
  response.once('close', () => {
    logger.info({
      id: exchange.requestId,
      method: request.method,
      route: exchange.route,
      status: response.statusCode,
      ms: Math.round((performance.now() - startedAt) * 100) / 100,
      bytes_in: exchange.bytesIn,
      bytes_out: socket.bytesWritten - writtenBefore,
      ...(exchange.errorCode === undefined ? {} : { code: exchange.errorCode }),
      ...(response.writableFinished || response.statusCode === 101 ? {} : { aborted: true }),
    });
  });
}
