import { type WebSocket, WebSocketServer } from 'ws';
import type { StreamUpgrade } from '../stream-upgrade.ts';

export interface WebSocketProtocol {
  readonly name: string;
  /** A client that sends a larger one is disconnected. */
  readonly maxMessageBytes: number;
}

/**
 * Completes the handshake with one of the protocols that the client offered. `attach` runs before
 * the first message. Undefined when it is not a handshake of WebSocket; it has been answered then.
 */
export function acceptWebSocket<T>(
  { request, socket, head }: StreamUpgrade,
  { name, maxMessageBytes }: WebSocketProtocol,
  attach: (webSocket: WebSocket) => T,
): Promise<T | undefined> {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
  });
  // Names with a slash, as Kubernetes has them, are no names to the package: it is not shown them.
  delete request.headers['sec-websocket-protocol'];
  server.on('headers', (headers) => headers.push(`Sec-WebSocket-Protocol: ${name}`));
  return new Promise((resolve) => {
    socket.once('close', () => resolve(undefined));
    server.handleUpgrade(request, socket, head, (webSocket) => resolve(attach(webSocket)));
  });
}
