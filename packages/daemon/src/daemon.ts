import { mkdir } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { createLocalDriver } from '@sandport/driver-local';
import { Engine } from '@sandport/engine';
import { HttpServer } from '@sandport/server';
import { openState } from '@sandport/state';
import type { Logger } from 'pino';
import { type HostPort, shownHost } from './config/host-port.ts';
import type { DaemonConfig } from './config/resolve.ts';
import { lockDataDir } from './data-dir-lock.ts';
import { listenForKubernetes, startKubernetes } from './kubernetes.ts';
import { kubernetesAccess } from './kubernetes-access.ts';
import { listenOn, reachableHost } from './listen.ts';
import { publishLocalKey } from './local-key.ts';
import { prepareTemplates } from './prepare-templates.ts';
import { listenForSsh, sshAccess, startSsh } from './ssh.ts';
import { UndoStack } from './undo-stack.ts';
import { version } from './version.ts';

/** How long transfers, and then changes of sandboxes, may go on after a stop was asked for, in ms. */
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
      network: config.network,
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
      // Warm pools of the Kubernetes dialect say what they want only when it has started.
      poolGraceMs: config.kubernetes === undefined ? 0 : 30_000,
      log: (message, fields) => logger.info(fields, message),
    }),
  );
  undo.add(() => engine.settle(graceMs));
  logger.info(await engine.recover(), 'recovered');
  const dialect = await startKubernetes(config, { engine, state, logger });
  if (dialect !== undefined) undo.use(dialect);
  const ssh = await startSsh(config, { engine, logger });
  const ports: { api?: number; kubernetes?: number | undefined; ssh?: number | undefined } = {};
  const server = new HttpServer({
    engine,
    logger,
    version,
    idleTimeoutMs: config.idleTimeoutMs,
    previewHost: config.previewHost,
    allowedOrigins: config.allowedOrigins,
    ...(ssh && { ssh: sshAccess(ssh, () => opened(config.ssh, ports.ssh)) }),
    ...(dialect && {
      mounts: [dialect.router],
      kubernetes: kubernetesAccess({
        dialect,
        api: () => opened(config, ports.api),
        kubernetes: () => opened(config.kubernetes, ports.kubernetes),
      }),
    }),
  });
  undo.add(() => Promise.all([server.close(graceMs), dialect?.close(graceMs), ssh?.close()]));
  ports.api = await listenOn(config, (host, port) => server.listen(host, port), '--listen');
  const warn = (sentence: string) => {
    logger.warn(sentence);
    announce(sentence);
  };
  if (dialect !== undefined && config.kubernetes !== undefined)
    ports.kubernetes = await listenForKubernetes(dialect, config.kubernetes, warn);
  if (ssh !== undefined && config.ssh !== undefined)
    ports.ssh = await listenForSsh(ssh, config.ssh, warn);
  const url = `http://${addressOf(config.host, ports.api)}`;
  await publishLocalKey(engine, config, url, options.environment);
  const ms = Math.round(performance.now() - startedAt);
  logger.info({ url, version, ms }, 'listening');
  const isolations = driver.isolations.join(', ') || 'none; see `sandport doctor`';
  announce(
    `Sandport ${version} listens on ${url} (isolation: ${isolations}; data: ${config.dataDir})`,
  );
  if (config.kubernetes !== undefined && ports.kubernetes !== undefined)
    announce(
      `Clients of Kubernetes reach it at https://${addressOf(config.kubernetes.host, ports.kubernetes)}; \`sandport kubeconfig\` tells them how.`,
    );
  if (config.ssh !== undefined && ports.ssh !== undefined)
    announce(
      `Clients of SSH reach it at ${addressOf(config.ssh.host, ports.ssh)}; \`sandport ssh\` opens a shell in a sandbox.`,
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

/** Where a listener of these settings is open; undefined while it is not. */
const opened = (settings: HostPort | undefined, port: number | undefined): HostPort | undefined =>
  settings === undefined || port === undefined ? undefined : { host: settings.host, port };

/** As clients on this machine reach it. */
const addressOf = (host: string, port: number) => `${shownHost(reachableHost(host))}:${port}`;
