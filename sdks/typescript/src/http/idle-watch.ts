import type { ClientRequest, IncomingMessage } from 'node:http';
import { TimeoutError } from '../errors/client-errors.ts';

/**
 * Ends the request when the daemon is silent for too long. Time in which the daemon waits for us,
 * because our source is slow or our reader has not taken what came, does not count.
 */
export function watchIdle(request: ClientRequest, idleTimeoutMs: number, what: string): void {
  if (idleTimeoutMs <= 0) return;
  let response: IncomingMessage | undefined;
  request.once('response', (message: IncomingMessage) => {
    response = message;
  });
  const passed = () => `${request.socket?.bytesRead} ${request.writableLength}`;
  request.setTimeout(idleTimeoutMs, () => {
    const before = passed();
    // When this process was busy, what has come meanwhile is read in this turn of the event loop.
    setImmediate(() => {
      if (request.destroyed) return;
      if (passed() !== before || !daemonOwesBytes(request, response)) {
        // The socket's timer rests once it has fired.
        request.socket?.setTimeout(idleTimeoutMs);
        return;
      }
      const error = new TimeoutError(
        `${what} was given up: nothing came from the daemon for ${idleTimeoutMs / 1000} s.`,
      );
      request.destroy(error);
      response?.destroy(error);
    });
  });
}

function daemonOwesBytes(request: ClientRequest, response: IncomingMessage | undefined): boolean {
  if (response !== undefined) {
    return response.readableLength === 0 && response.readableFlowing !== false;
  }
  return request.writableEnded || request.writableLength > 0;
}
