import type { Duplex } from 'node:stream';
import type { StreamUpgrade } from '../stream-upgrade.ts';

/** Tells the client that the connection speaks SPDY from here; gives the connection. */
export function switchToSpdy({ socket, head }: StreamUpgrade, protocol: string): Duplex {
  socket.write(
    [
      'HTTP/1.1 101 Switching Protocols',
      'Connection: Upgrade',
      'Upgrade: SPDY/3.1',
      `X-Stream-Protocol-Version: ${protocol}`,
      '\r\n',
    ].join('\r\n'),
  );
  if (head.length > 0) socket.unshift(head);
  return socket;
}
