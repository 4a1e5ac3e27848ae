import type { WebSocket } from 'ws';

const answerLimitMs = 1_000;

/**
 * Waits until a client hears messages: what comes together with the end of the handshake is lost to
 * clients that begin to listen behind it. The answer to a ping, or a message, shows that it is done.
 * A client that answers nothing for a second is not waited for any longer.
 */
export function clientListens(webSocket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, answerLimitMs);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    for (const sign of ['pong', 'message', 'close']) webSocket.once(sign, done);
    webSocket.ping();
  });
}
