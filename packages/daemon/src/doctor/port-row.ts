import { createServer } from 'node:net';
import type { MachineRow } from '@sandport/driver-local';

/** Whether the daemon could listen where it is told to. */
export function portRow(host: string, port: number): Promise<MachineRow> {
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
              cost: 'the daemon may be running already; a second one needs another port',
              fix: 'sandport serve --listen 127.0.0.1:0',
            }
          : {
              name,
              status: 'missing',
              detail: `cannot listen on ${host}:${port}: ${error.code ?? error.message}`,
              fix: 'sandport serve --listen 127.0.0.1:0',
            },
      );
    });
    server.listen({ host, port }, () => {
      server.close(() => resolve({ name, status: 'ok', detail: `${host}:${port} is free` }));
    });
  });
}
