import { Socket } from 'node:net';
import type { StreamUpgrade } from '../stream-upgrade.ts';

/** After so long without traffic the kernel begins to ask the other host whether it is there. */
const keepAliveMs = 30_000;

/** Makes a socket fit for a long life of small writes. */
export function prepareSocket({ socket, signal }: StreamUpgrade): void {
  socket.on('error', () => {});
  if (socket instanceof Socket) {
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAliveMs);
  }
  if (signal === undefined) return;
  const destroy = () => socket.destroy();
  if (signal.aborted) destroy();
  signal.addEventListener('abort', destroy, { once: true });
  socket.once('close', () => signal.removeEventListener('abort', destroy));
}
