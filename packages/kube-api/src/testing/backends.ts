import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A server on a port of this machine that half-closes. */
export class Backend implements AsyncDisposable {
  readonly port: number;
  readonly connections = new Set<Socket>();
  readonly #close: () => void;

  private constructor(port: number, close: () => void) {
    this.port = port;
    this.#close = close;
  }

  static async start(serve: (socket: Socket) => void): Promise<Backend> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const backend = new Backend((server.address() as AddressInfo).port, () => server.close());
    server.on('connection', (socket) => {
      backend.connections.add(socket);
      socket.on('close', () => backend.connections.delete(socket));
      socket.on('error', () => {});
      serve(socket);
    });
    return backend;
  }

  /** Gives back what it gets. */
  static echo(): Promise<Backend> {
    return Backend.start((socket) => socket.pipe(socket));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.connections) socket.destroy();
    this.#close();
  }
}
