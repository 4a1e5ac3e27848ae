import { createServer, type Server, type Socket } from 'node:net';
import type { AllowedUsers } from './allowed-users.ts';
import type { PeerOwners } from './peer-owner.ts';

export interface GuardedListenerOptions {
  readonly address: string;
  readonly port: number;
  readonly owners: PeerOwners;
  readonly users: AllowedUsers;
  /** HTTP is spoken here: others are told why they are disconnected. */
  readonly isHttp: boolean;
  /** Takes a connection of an allowed user, with nothing read from it. */
  readonly accept: (socket: Socket) => void;
}

/** What other users are told, where HTTP is spoken. */
const refusal = (() => {
  const body = JSON.stringify({
    detail:
      'This user of the machine may not use sandboxes by their addresses; --pod-network-users of the daemon names who may.',
  });
  return `HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
})();

/** How long a refused client has to read that, in milliseconds. */
const refusedLifeMs = 500;

/** Most connections at one time. */
const maxConnections = 1024;

/**
 * Listens for processes of allowed users of this machine. Others are disconnected before anything
 * of theirs is read.
 */
export class GuardedListener {
  readonly #options: GuardedListenerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(options: GuardedListenerOptions) {
    this.#options = options;
    // A client that has said all still gets its answer.
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    this.#server.maxConnections = maxConnections;
    this.#server.on('connection', (socket) => void this.#judge(socket));
  }

  /** Resolves once it listens. @throws Error with code EADDRINUSE and the like */
  open(): Promise<void> {
    const { address, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: address, port, exclusive: true, backlog: 511 }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  /** Stops listening and breaks the connections. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #judge(socket: Socket): Promise<void> {
    const { owners, users, accept } = this.#options;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const owner = await owners.ownerOf(socket).catch(() => undefined);
    if (owner === undefined || !users.has(owner)) this.#refuse(socket);
    else if (!socket.destroyed) {
      accept(socket);
      socket.resume();
    }
  }

  /** Reads nothing. */
  #refuse(socket: Socket): void {
    if (!this.#options.isHttp) {
      socket.destroy();
      return;
    }
    socket.end(refusal);
    setTimeout(() => socket.destroy(), refusedLifeMs);
  }
}
