import type { WebSocket } from 'ws';

const pingEveryMs = 20_000;
const maxMissed = 2;

/** Pings a client, and breaks the connection when it has missed two. */
export function keepAlive(webSocket: WebSocket, everyMs = pingEveryMs): void {
  let missed = 0;
  const timer = setInterval(() => {
    if (missed >= maxMissed) {
      webSocket.terminate();
      return;
    }
    // While it is not read, its answers are not seen; a client that is gone still breaks it.
    if (!webSocket.isPaused) missed += 1;
    webSocket.ping();
  }, everyMs);
  timer.unref();
  const heard = () => {
    missed = 0;
  };
  webSocket.on('pong', heard).on('message', heard);
  webSocket.once('close', () => clearInterval(timer));
}
