import type { WebSocket } from 'ws';

const answerLimitMs = 1_000;
const graceMs = 10;

/**
 * Waits until the client takes messages: kubectl before 1.34 throws away what comes before it has
 * made its streams. An answer to a ping shows that it reads, and its streams follow at once. A
 * client that answers nothing for a second is not waited for any longer.
 */
export async function peerReadiness(socket: WebSocket): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, answerLimitMs);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    for (const sign of ['pong', 'message', 'close']) socket.once(sign, done);
    socket.ping();
  });
  await new Promise((resolve) => setTimeout(resolve, graceMs));
}
