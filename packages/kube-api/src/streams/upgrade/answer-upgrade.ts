import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { KubeError } from '../../objects/kube-error.ts';
import type { StreamUpgrade } from '../stream-upgrade.ts';
import { ProtocolMismatch } from './choose-protocol.ts';

/** How long a client may leave a refused connection open. */
const refusedLingerMs = 5_000;

/** Tells the client that the connection speaks SPDY from here; gives the connection. */
export function switchToSpdy({ socket, head }: StreamUpgrade, protocol: string): Duplex {
  socket.write(
    [
      'HTTP/1.1 101 Switching Protocols',
      'Connection: Upgrade',
      'Upgrade: SPDY/3.1',
      `X-Stream-Protocol-Version: ${protocol}`,
      '\r\n',
    ].join('\r\n'),
  );
  if (head.length > 0) socket.unshift(head);
  return socket;
}

/** Answers a request for an upgrade with a `Status`, and closes the connection. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  if (socket.destroyed) return;
  const refusal =
    error instanceof KubeError
      ? error
      : new KubeError('InternalError', error instanceof Error ? error.message : String(error));
  const body = JSON.stringify(refusal.toStatus());
  const known = refusal instanceof ProtocolMismatch ? refusal.known : [];
  socket.end(
    [
      `HTTP/1.1 ${refusal.code} ${STATUS_CODES[refusal.code] ?? 'Error'}`,
      'Connection: close',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...known.map((name) => `X-Accepted-Stream-Protocol-Versions: ${name}`),
      '',
      body,
    ].join('\r\n'),
  );
  setTimeout(() => socket.destroy(), refusedLingerMs).unref();
}
