import { mkdir } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { createLocalDriver } from '@sandport/driver-local';
import { Engine } from '@sandport/engine';
import { HttpServer } from '@sandport/server';
import { openState } from '@sandport/state';
import type { Logger } from 'pino';
import { ConfigError } from './config/config-error.ts';
import type { DaemonConfig } from './config/resolve.ts';
import { lockDataDir } from './data-dir-lock.ts';
import { publishLocalKey } from './local-key.ts';
import { prepareTemplates } from './prepare-templates.ts';
import { UndoStack } from './undo-stack.ts';
import { version } from './version.ts';

/** How long transfers may go on after a stop was asked for, in milliseconds. */
const graceMs = 5_000;

/** A daemon that runs. Closing it leaves its sandboxes running. */
export interface Daemon extends AsyncDisposable {
  readonly url: string;
}

export interface StartOptions {
  readonly logger: Logger;
  readonly environment: NodeJS.ProcessEnv;
  /** Gets lines for people: where the daemon listens, and what goes on beside requests. */
  readonly announce: (line: string) => void;
}

/**
 * Puts the daemon together from its configuration and starts it.
 * @throws ConfigError with a sentence for people
 */
export async function startDaemon(config: DaemonConfig, options: StartOptions): Promise<Daemon> {
  const { logger, announce } = options;
  const startedAt = performance.now();
  await using undo = new UndoStack();
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  undo.use(await lockDataDir(config.dataDir));
  const state = undo.use(openState(join(config.dataDir, 'sandport.db')));
  const driver = undo.use(
    await createLocalDriver({
      dataDir: config.dataDir,
      ...(config.runDir === undefined ? {} : { runDir: config.runDir }),
      ...(config.templatesDir === undefined ? {} : { templatesDir: config.templatesDir }),
      isolation: config.isolation,
      storage: config.storage,
      poolBytes: config.poolBytes,
      log: (level, message, fields) => logger[level](fields, message),
    }),
  );
  const engine = undo.use(
    new Engine({
      driver,
      state,
      aliases: config.aliases,
      archivesDir: join(config.dataDir, 'template-archives'),
      maxSandboxes: config.maxSandboxes,
      pools: config.pools,
      poolMemoryBytes: machineMemoryBytes(),
      log: (message, fields) => logger.info(fields, message),
    }),
  );
  logger.info(await engine.recover(), 'recovered');
  const server = new HttpServer({ engine, logger, version, idleTimeoutMs: config.idleTimeoutMs });
  undo.add(() => server.close(graceMs));
  const url = await listen(server, config);
  await publishLocalKey(engine, config, url, options.environment);
  const ms = Math.round(performance.now() - startedAt);
  logger.info({ url, version, ms }, 'listening');
  const isolations = driver.isolations.join(', ') || 'none; see `sandport doctor`';
  announce(
    `Sandport ${version} listens on ${url} (isolation: ${isolations}; data: ${config.dataDir})`,
  );
  const preparation = new AbortController();
  const { signal } = preparation;
  const prepared = prepareTemplates(engine, config.prepare, { logger, announce, signal });
  undo.add(() => {
    preparation.abort();
    return prepared;
  });
  const owned = undo.move();
  return {
    url,
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** What this process, and what it starts, may have. */
function machineMemoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

async function listen(server: HttpServer, config: DaemonConfig): Promise<string> {
  const shown = isIPv6(config.host) ? `[${config.host}]` : config.host;
  try {
    const { port } = await server.listen(config.host, config.port);
    const reachable =
      config.host === '0.0.0.0' ? '127.0.0.1' : config.host === '::' ? '[::1]' : shown;
    return `http://${reachable}:${port}`;
  } catch (error) {
    const why =
      error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
        ? 'another program listens there; stop it, or name another with --listen'
        : String(error);
    throw new ConfigError(`Cannot listen on ${shown}:${config.port}: ${why}.`);
  }
}
