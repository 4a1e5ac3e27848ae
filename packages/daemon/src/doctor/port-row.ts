import { createServer } from 'node:net';
import type { MachineRow } from '@sandport/driver-local';
import type { HostPort } from '../config/host-port.ts';

export interface PortRowOptions extends HostPort {
  /** What it means that another program listens there. */
  readonly cost: string;
  /** How to listen elsewhere. */
  readonly fix: string;
}

/** Whether the daemon could listen where it is told to. */
export function portRow({ host, port, cost, fix }: PortRowOptions): Promise<MachineRow> {
  const name = `port ${port}`;
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(
        error.code === 'EADDRINUSE'
          ? {
              name,
              status: 'degraded',
              detail: `another program listens on ${host}:${port}`,
              cost,
              fix,
            }
          : {
              name,
              status: 'missing',
              detail: `cannot listen on ${host}:${port}: ${error.code ?? error.message}`,
              fix,
            },
      );
    });
    server.listen({ host, port }, () => {
      server.close(() => resolve({ name, status: 'ok', detail: `${host}:${port} is free` }));
    });
  });
}
