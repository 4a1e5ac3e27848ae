import { createServer, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { Sandbox } from 'sandport';
import type { ForwardedPort } from '../parse/port.ts';

export interface ForwardOptions extends ForwardedPort {
  /** Address of this machine on which it listens. */
  readonly host: string;
  readonly signal: AbortSignal;
  /** Told of each connection that could not be made, or that broke. */
  readonly onError: (error: unknown) => void;
}

/** A port of this machine that leads into a sandbox, until it is disposed of. */
export interface PortForward extends AsyncDisposable {
  readonly local: number;
}

/**
 * Listens on this machine; each connection is carried to the port of the sandbox.
 * @throws Error with code EADDRINUSE and the like
 */
export async function forwardPort(
  sandbox: Sandbox,
  { host, local, remote, signal, onError }: ForwardOptions,
): Promise<PortForward> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    carry(sandbox, socket, { remote, signal }).catch((error: unknown) => {
      socket.destroy();
      if (!signal.aborted) onError(error);
    });
  });
  const port = await listen(server, host, local);
  return {
    local: port,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function carry(
  sandbox: Sandbox,
  socket: Socket,
  { remote, signal }: Pick<ForwardOptions, 'remote' | 'signal'>,
): Promise<void> {
  const connection = await sandbox.ports.connect(remote, { signal });
  const cut = () => connection.destroy();
  socket.once('close', cut);
  if (socket.destroyed) cut();
  await Promise.all([pipeline(socket, connection), pipeline(connection, socket)]);
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
