import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** How servers treat connections. Transfers have idle timeouts of their own: nothing has a total one. */
export const connectionOptions = {
  headersTimeout: 30_000,
  requestTimeout: 0,
  keepAliveTimeout: 75_000,
  noDelay: true,
} as const;

/** Where a server listens, and the connections that it holds. */
export class Listener {
  readonly #server: HttpServer | HttpsServer;
  readonly #sockets = new Set<Socket>();

  constructor(server: HttpServer | HttpsServer) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /**
   * Resolves with the address once requests are taken. Port 0 takes a free one.
   * @throws Error with code EADDRINUSE and the like
   */
  listen(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 1024 }, () => {
        this.#server.off('error', reject);
        // A TCP server's address is never a string.
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Stops accepting, waits for what is under way, and cuts what is left after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    // Connections that were handed over, by an upgrade, are no longer the server's to close.
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(timer);
  }
}
