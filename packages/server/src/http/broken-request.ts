import type { Duplex } from 'node:stream';
import { type ErrorCode, errorTable } from '@sandport/protocol';

/**
 * Answers what Node's parser could not read as a request, and closes the connection. Registered for
 * `clientError`: there is no request object to answer through.
 */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, sentence] = describe(error);
  const { status } = errorTable[code];
  const body = JSON.stringify({ error: sentence, code });
  socket.end(
    `HTTP/1.1 ${status} ${reasons[status] ?? 'Error'}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

function describe(error: NodeJS.ErrnoException): [ErrorCode, string] {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return ['headers_too_large', 'The headers of the request are larger than 16 KiB.'];
    case 'HPE_INVALID_EOF_STATE':
      return ['incomplete_body', 'The request ended before its announced length.'];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['request_timeout', 'The headers of the request did not arrive in time.'];
    default:
      return ['invalid_request', 'This is not an HTTP/1.1 request.'];
  }
}
