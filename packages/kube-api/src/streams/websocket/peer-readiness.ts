import { setTimeout as delay } from 'node:timers/promises';
import type { WebSocket } from 'ws';

const answerLimitMs = 1_000;
const graceMs = 10;

/**
 * Waits until the client takes messages: kubectl before 1.34 throws away what comes before it has
 * made its streams. An answer to a ping shows that it reads, and its streams follow at once. A
 * client that answers nothing for a second is not waited for any longer.
 */
export async function peerReadiness(socket: WebSocket): Promise<void> {
  const over = new AbortController();
  const answered = new Promise<void>((resolve) => {
    for (const sign of ['pong', 'message', 'close']) socket.once(sign, () => resolve());
  });
  socket.ping();
  await Promise.race([answered, delay(answerLimitMs, undefined, { signal: over.signal })]);
  over.abort();
  await delay(graceMs);
}
