import { createServer, type Server } from 'node:net';
import type { AddressRange } from './address-range.ts';

/**
 * Takes a range for this process, so that two daemons never give out the same address. The kernel
 * frees it however the process ends. Undefined when another process has it.
 */
export function claimRange({ name }: AddressRange): Promise<Disposable | undefined> {
  const server: Server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    // A name in the abstract namespace: no file is left behind.
    server.listen({ path: `\0sandport-pod-network-${name}` }, () => {
      server.unref();
      resolve({ [Symbol.dispose]: () => server.close() });
    });
  });
}
