import { type ErrorCode, SandportFault } from '@sandport/protocol';
import type { Logger } from 'pino';
import type { Exchange } from './exchange.ts';

/** Errors that the operator has to look into; the others are the client's to act on. */
const operatorCodes: ReadonlySet<ErrorCode> = new Set(['create_failed', 'template_build_failed']);

/** How long the rest of a refused body is read and thrown away, so that the answer arrives. */
const lingerMs = 5_000;

/**
 * Answers with an error. A body that the client is still sending is read to nowhere for a while:
 * closing at once would reset the connection and the client would never see the answer.
 */
export function answerFault(exchange: Exchange, error: unknown, logger: Logger): void {
  const fault = asFault(error, exchange, logger);
  exchange.errorCode = fault.code;
  const { request, response } = exchange;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const text = Buffer.from(JSON.stringify(fault.toBody()));
  const bodyPending = !request.complete && !request.destroyed;
  response.writeHead(fault.status, {
    'Content-Type': 'application/json',
    'Content-Length': text.length,
    ...(fault.status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
    ...(bodyPending ? { Connection: 'close' } : {}),
  });
  const body = request.method === 'HEAD' ? undefined : text;
  if (!bodyPending || exchange.bodyHeldBack) {
    response.end(body);
    return;
  }
  if (body !== undefined) response.write(body);
  const finish = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(finish, lingerMs);
  request.once('end', finish).once('close', finish).once('error', finish);
  request.resume();
}

function asFault(error: unknown, exchange: Exchange, logger: Logger): SandportFault {
  if (error instanceof SandportFault) {
    if (operatorCodes.has(error.code))
      logger.error({ id: exchange.requestId, code: error.code, err: error }, error.message);
    return error;
  }
  logger.error({ id: exchange.requestId, route: exchange.route, err: error }, 'unexpected error');
  return new SandportFault(
    'internal',
    `The daemon met a condition it did not expect; its log names it under ${exchange.requestId}.`,
    { request_id: exchange.requestId },
  );
}
