import type { AgentSandbox } from '@sandport/agent-sandbox';
import type { Engine } from '@sandport/engine';
import type { State } from '@sandport/state';
import type { Logger } from 'pino';
import { ConfigError } from './config/config-error.ts';
import type { KubernetesSettings, PodNetworkSettings } from './config/kubernetes-settings.ts';
import type { DaemonConfig } from './config/resolve.ts';
import { AddressTakenError, listenOn } from './listen.ts';
import { version } from './version.ts';

export interface StartKubernetesOptions {
  readonly engine: Engine;
  readonly state: State;
  readonly logger: Logger;
}

/**
 * Starts the dialect of Kubernetes, without listening; undefined when it is off.
 * @throws ConfigError when its certificate authority, or the network that was asked for, cannot be used
 */
export async function startKubernetes(
  { kubernetes, dataDir, idleTimeoutMs }: DaemonConfig,
  { engine, state, logger }: StartKubernetesOptions,
): Promise<AgentSandbox | undefined> {
  if (kubernetes === undefined) return undefined;
  const { host, names, podNetwork } = kubernetes;
  // Loaded where it is used: it takes a third of a start.
  const { AuthorityFileError, PodNetworkError, startAgentSandbox } = await import(
    '@sandport/agent-sandbox'
  );
  const start = (network: PodNetworkSettings | undefined) =>
    startAgentSandbox({
      engine,
      table: state.kubeObjects,
      logger,
      dataDir,
      release: version,
      host,
      names,
      podNetwork: network,
      idleTimeoutMs,
    });
  try {
    return await start(podNetwork).catch((error: unknown) => {
      const asked = podNetwork?.range !== 'auto' || podNetwork.users.length > 0;
      if (asked || !(error instanceof PodNetworkError)) throw error;
      logger.warn(`Sandboxes get no addresses. ${error.message}`);
      return start(undefined);
    });
  } catch (error) {
    const isSetting = error instanceof AuthorityFileError || error instanceof PodNetworkError;
    throw isSetting ? new ConfigError(error.message) : error;
  }
}

/**
 * Listens for clients of Kubernetes. An address that nobody asked for may be taken: then the daemon
 * serves without it.
 * @returns the port; undefined when the address is taken
 * @throws ConfigError when the address that was asked for cannot be listened on
 */
export async function listenForKubernetes(
  dialect: AgentSandbox,
  settings: KubernetesSettings,
  warn: (sentence: string) => void,
): Promise<number | undefined> {
  try {
    const open = (_host: string, port: number) => dialect.listen(port);
    return await listenOn(settings, open, '--kubernetes-listen');
  } catch (error) {
    if (settings.asked || !(error instanceof AddressTakenError)) throw error;
    warn(`Clients of Kubernetes are not served. ${error.message}`);
    return undefined;
  }
}
