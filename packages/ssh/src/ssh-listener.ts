import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Engine } from '@sandport/engine';
import type { Logger } from 'pino';
import { SlowDown } from './admission/slow-down.ts';
import { WaitingRoom } from './admission/waiting-room.ts';
import type { HostKey } from './host-key.ts';
import { Budget } from './sftp/handles/budget.ts';
import type { LoggedIn } from './login/logged-in.ts';

/** Connections at one time, and those of one API key among them. */
const maxConnections = 1024;
const maxConnectionsOfKey = 128;

/** Files that all connections may have open by SFTP. */
const maxOpenFiles = 8192;

export interface SshListenerOptions {
  readonly engine: Engine;
  readonly hostKey: HostKey;
  readonly logger: Logger;
}

/** Takes connections of SSH clients to sandboxes. */
export class SshListener {
  readonly #options: SshListenerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** By API key. */
  readonly #loggedIn = new Map<string, number>();
  readonly #waitingRoom = new WaitingRoom();
  readonly #slowDown = new SlowDown();
  readonly #openFiles = new Budget(maxOpenFiles);

  constructor(options: SshListenerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => void this.#take(socket));
    this.#server.maxConnections = maxConnections;
  }

  get hostKey(): HostKey {
    return this.#options.hostKey;
  }

  /**
   * Resolves with the address once connections are taken. Port 0 takes a free one.
   * @throws Error with code EADDRINUSE and the like
   */
  listen(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 512 }, () => {
        this.#server.off('error', reject);
        // A TCP server's address is never a string.
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Stops accepting and ends all connections. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #take(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    this.#waitingRoom.enter(socket);
    // Loaded by the first connection: most daemons never see one.
    const { serveConnection } = await import('./connection/serve-connection.ts');
    if (socket.destroyed) return;
    serveConnection(socket, {
      ...this.#options,
      slowDown: this.#slowDown,
      openFiles: this.#openFiles,
      onLogin: (loggedIn) => this.#enter(socket, loggedIn),
    });
  }

  /** False: the key has too many connections already. */
  #enter(socket: Socket, { principal, sandbox }: LoggedIn): boolean {
    const { keyId } = principal;
    const count = this.#loggedIn.get(keyId) ?? 0;
    if (count >= maxConnectionsOfKey) return false;
    this.#loggedIn.set(keyId, count + 1);
    this.#waitingRoom.leave(socket);
    const peer = socket.remoteAddress;
    this.#options.logger.info({ peer, sandbox, key: keyId }, 'a log-in over SSH');
    socket.once('close', () => {
      const left = (this.#loggedIn.get(keyId) ?? 1) - 1;
      if (left > 0) this.#loggedIn.set(keyId, left);
      else this.#loggedIn.delete(keyId);
    });
    return true;
  }
}
