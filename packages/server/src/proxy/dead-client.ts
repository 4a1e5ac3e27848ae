import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** After so long without a byte the kernel asks whether the client is still there, in milliseconds. */
const probeAfterMs = 60_000;

/** A connection on which nothing moves stays; one whose client is gone without a word is closed. */
export function noticeDeadClient(socket: Duplex): void {
  if (socket instanceof Socket) socket.setKeepAlive(true, probeAfterMs);
}
