import { type WebSocket, WebSocketServer } from 'ws';
import type { StreamUpgrade } from '../stream-upgrade.ts';

/** Clients may send all of a command's input as one message. */
const maxMessageBytes = 16 * 1024 * 1024;

/**
 * Completes the handshake with one of the protocols that the client offered. `attach` runs before
 * the first message. Undefined when it is not a handshake of WebSocket; it has been answered then.
 */
export function acceptWebSocket<T>(
  { request, socket, head }: StreamUpgrade,
  protocol: string,
  attach: (webSocket: WebSocket) => T,
): Promise<T | undefined> {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    handleProtocols: () => protocol,
  });
  return new Promise((resolve) => {
    socket.once('close', () => resolve(undefined));
    server.handleUpgrade(request, socket, head, (webSocket) => resolve(attach(webSocket)));
  });
}
