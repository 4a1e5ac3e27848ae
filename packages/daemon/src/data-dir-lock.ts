import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from './config/config-error.ts';

/** How long a predecessor that is stopping is waited for, in milliseconds. */
const patienceMs = 10_000;

/**
 * Makes this the only daemon of a data directory. The lock is the name of an abstract UNIX socket:
 * the kernel frees it when the process ends, however it ends, and nothing is left on disk.
 * @throws ConfigError when another daemon holds it
 */
export async function lockDataDir(dataDir: string): Promise<AsyncDisposable> {
  const name = `\0sandport-${createHash('sha256').update(dataDir).digest('hex').slice(0, 32)}`;
  for (const startedAt = performance.now(); ; await sleep(100)) {
    const server = await tryListen(name);
    if (server !== undefined)
      return {
        [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
      };
    if (performance.now() - startedAt > patienceMs)
      throw new ConfigError(
        `Another daemon uses the data directory ${dataDir}; stop it, or name another with --data-dir.`,
      );
  }
}

function tryListen(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(name, () => resolve(server));
  });
}
