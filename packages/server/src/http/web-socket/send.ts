import type { WebSocket } from 'ws';

/** Bytes that may wait to be sent before who sends more has to wait. */
const maxBufferedBytes = 256 * 1024;

/**
 * Sends a message: bytes as a binary one, else JSON. Resolves, with nothing when the client keeps
 * up, once it has room for more; without an error when it has gone.
 */
export function send(webSocket: WebSocket, message: Buffer | object): Promise<void> | undefined {
  if (webSocket.readyState !== webSocket.OPEN) return undefined;
  const isBinary = Buffer.isBuffer(message);
  const data = isBinary ? message : JSON.stringify(message);
  if (webSocket.bufferedAmount < maxBufferedBytes) {
    webSocket.send(data, { binary: isBinary });
    return undefined;
  }
  return new Promise((resolve) => webSocket.send(data, { binary: isBinary }, () => resolve()));
}
