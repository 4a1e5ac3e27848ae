import { type WebSocket, WebSocketServer } from 'ws';
import { keyProtocolPrefix } from '../upgrade-key-of.ts';
import type { Upgrade } from '../upgrade.ts';
import { keepAlive } from './keep-alive.ts';

export interface AcceptOptions {
  /** A client that sends a larger message is disconnected with code 1009. */
  readonly maxMessageBytes: number;
  /** Closes it. */
  readonly stopping: AbortSignal;
}

/**
 * Completes the handshake; `attach` runs before the first message. From then on the connection is
 * kept alive, and closed when its client answers nothing any more. The
 * handshake was looked at with `requireHandshake`.
 */
export function acceptWebSocket(
  { exchange, socket, head }: Upgrade,
  { maxMessageBytes, stopping }: AcceptOptions,
  attach: (webSocket: WebSocket) => void,
): void {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    handleProtocols: chooseProtocol,
  });
  server.handleUpgrade(exchange.request, socket, head, (webSocket) => {
    // What goes wrong with it ends with its end, which is looked at elsewhere.
    webSocket.on('error', () => undefined);
    keepAlive(webSocket);
    const leave = () => webSocket.close(1001, 'The daemon is stopping.');
    stopping.addEventListener('abort', leave, { once: true });
    webSocket.once('close', () => stopping.removeEventListener('abort', leave));
    attach(webSocket);
  });
}

/** The one that carries a key only where there is no other: clients fail when none is chosen. */
const chooseProtocol = (offered: Set<string>): string | false =>
  [...offered].find((each) => !each.startsWith(keyProtocolPrefix)) ?? [...offered][0] ?? false;
