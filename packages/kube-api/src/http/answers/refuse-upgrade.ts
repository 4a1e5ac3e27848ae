import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { KubeError } from '../../objects/kube-error.ts';
import { ProtocolMismatch } from '../../streams/upgrade/choose-protocol.ts';

/** Answers a request to upgrade with the `Status` of an error, and ends the connection. */
export function refuseUpgrade(socket: Duplex, error: KubeError): void {
  if (socket.destroyed || socket.writableEnded) return void socket.destroy();
  const body = JSON.stringify(error.toStatus());
  const known = error instanceof ProtocolMismatch ? error.known : [];
  const head = [
    `HTTP/1.1 ${error.code} ${STATUS_CODES[error.code] ?? 'Error'}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...known.map((name) => `X-Accepted-Stream-Protocol-Versions: ${name}`),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
