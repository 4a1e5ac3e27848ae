import type { IncomingMessage, ServerResponse } from 'node:http';
import { SandportFault } from '@sandport/protocol';
import { answerBody, Exchange } from '@sandport/server';

/** A request and its answer; undefined when the target cannot be read, which then was answered. */
export function openExchange(
  request: IncomingMessage,
  response: ServerResponse,
): Exchange | undefined {
  try {
    return new Exchange(request, response);
  } catch (error) {
    if (!(error instanceof SandportFault)) throw error;
    request.url = '/';
    answerBody(new Exchange(request, response), 400, { detail: error.message });
    return undefined;
  }
}
