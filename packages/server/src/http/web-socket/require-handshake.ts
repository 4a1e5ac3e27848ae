import type { IncomingHttpHeaders } from 'node:http';
import { SandportFault } from '@sandport/protocol';

/** Refuses what is not a handshake of WebSocket (RFC 6455). @throws SandportFault `invalid_request` */
export function requireHandshake(headers: IncomingHttpHeaders): void {
  const isKey = /^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '');
  if (isKey && headers['sec-websocket-version'] === '13') return;
  throw new SandportFault('invalid_request', 'The request is not a handshake of WebSocket 13.', {
    field: isKey ? 'Sec-WebSocket-Version' : 'Sec-WebSocket-Key',
  });
}
