import type { Duplex } from 'node:stream';

/**
 * Copies between two connections, each direction until its end; an end is passed on while the
 * other direction goes on. When one of them is given up, so is the other. Resolves when both are
 * done with.
 */
export async function joinStreams(left: Duplex, right: Duplex): Promise<void> {
  await Promise.all([carry(left, right), carry(right, left)]);
}

function carry(from: Duplex, to: Duplex): Promise<void> {
  from.on('error', () => {});
  from.pipe(to);
  return new Promise((resolve) => {
    const closed = () => {
      if (!(from.readableEnded && from.writableFinished)) to.destroy();
      resolve();
    };
    if (from.closed) closed();
    else from.once('close', closed);
  });
}
