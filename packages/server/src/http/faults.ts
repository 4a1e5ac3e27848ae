import { type ErrorCode, SandportFault } from '@sandport/protocol';
import type { Logger } from 'pino';
import { answerBody } from './answer-body.ts';
import type { Exchange } from './exchange.ts';

/** Errors that the operator has to look into; the others are the client's to act on. */
const operatorCodes: ReadonlySet<ErrorCode> = new Set(['create_failed', 'template_build_failed']);

/** Answers with an error. */
export function answerFault(exchange: Exchange, error: unknown, logger: Logger): void {
  const fault = asFault(error, exchange, logger);
  exchange.errorCode = fault.code;
  const headers = fault.status === 401 ? { 'WWW-Authenticate': 'Bearer' } : undefined;
  answerBody(exchange, fault.status, fault.toBody(), headers);
}

function asFault(error: unknown, exchange: Exchange, logger: Logger): SandportFault {
  if (error instanceof SandportFault) {
    if (operatorCodes.has(error.code))
      logger.error({ id: exchange.requestId, code: error.code, err: error }, error.message);
    return error;
  }
  // What was broken off because the client has gone is nobody's fault.
  const isBrokenOff =
    exchange.response.destroyed && error instanceof Error && error.name === 'AbortError';
  if (!isBrokenOff)
    logger.error({ id: exchange.requestId, route: exchange.route, err: error }, 'unexpected error');
  return new SandportFault(
    'internal',
    `The daemon met a condition it did not expect; its log names it under ${exchange.requestId}.`,
    { request_id: exchange.requestId },
  );
}
