import type { Duplex } from 'node:stream';
import { KubeError } from '@sandport/kube-api';

/** Answers what Node's parser could not read as a request, and closes that connection. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [head, sentence] = describe(error.code);
  const status = {
    ...new KubeError('BadRequest', sentence).toStatus(),
    code: Number.parseInt(head),
  };
  const body = JSON.stringify(status);
  socket.end(
    `HTTP/1.1 ${head}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function describe(code: string | undefined): [string, string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return ['431 Request Header Fields Too Large', 'The headers are larger than 16 KiB.'];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['408 Request Timeout', 'The headers of the request did not arrive in time.'];
    default:
      return ['400 Bad Request', 'This is not an HTTP/1.1 request.'];
  }
}
