import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Engine } from '@sandport/engine';
import type { ObjectTable } from '@sandport/kube-api';
import type { Mount } from '@sandport/server';
import type { Logger } from 'pino';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { type DataPlane, type DataPlaneOptions, startDataPlane } from './data-plane.ts';
import { withAccessLog } from './listener/access-log.ts';
import { SecureListener } from './listener/secure-listener.ts';
import { formerAddresses } from './pods/former-addresses.ts';
import { routerMount } from './router-mount.ts';
import { openAuthority } from './tls/authority-files.ts';
import { serverNames } from './tls/server-names.ts';
import { ServingCertificate } from './tls/serving-certificate.ts';

export interface AgentSandboxOptions {
  readonly engine: Engine;
  /** Keeps the objects. */
  readonly table: ObjectTable;
  readonly logger: Logger;
  /** Where the certificate authority lies: in the directory `kubernetes` there. */
  readonly dataDir: string;
  /** Release of the daemon. */
  readonly release: string;
  /** Host that clients of Kubernetes are listened for on. */
  readonly host: string;
  /** More host names and addresses that they reach it by. @default [] */
  readonly names?: readonly string[];
  /** Undefined: sandboxes get no addresses. */
  readonly podNetwork: Omit<NonNullable<DataPlaneOptions['podNetwork']>, 'former'> | undefined;
  /** A transfer that moves no byte for so long is given up, in milliseconds. @default 60_000 */
  readonly idleTimeoutMs?: number;
}

/** The dialect of kubernetes-sigs/agent-sandbox: its resources, its router, its runtimes. */
export interface AgentSandbox extends AsyncDisposable {
  /** PEM, for clients. */
  readonly certificateAuthority: string;
  /** Host names and addresses that the certificate is for. */
  readonly names: ReadonlySet<string>;
  /** The router, for the daemon's own API. */
  readonly router: Mount;
  /** Where the router listens on port 80 without a key; undefined without a pod network. */
  readonly gatewayAddress: string | undefined;
  /**
   * Listens for clients of Kubernetes.
   * @throws Error with code EADDRINUSE and the like
   */
  listen(port: number): Promise<AddressInfo>;
  /** Ends watches and tunnels, waits for what is under way, and cuts what is left after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/**
 * Puts the dialect together and starts it, upon an engine that has recovered. Disposing leaves the
 * sandboxes running.
 * @throws AuthorityFileError when the certificate authority cannot be used
 * @throws PodNetworkError when there is no such network to be had
 */
export async function startAgentSandbox(options: AgentSandboxOptions): Promise<AgentSandbox> {
  const { engine, logger, host } = options;
  const log = (message: string, fields: Record<string, unknown>) => logger.warn(fields, message);
  const authority = await openAuthority(join(options.dataDir, 'kubernetes'));
  const names = serverNames(host, options.names);
  const shown: { by?: SecureListener } = {};
  const { serving, pair } = await ServingCertificate.start({
    authority,
    names,
    renewed: (renewed) => shown.by?.useCertificate(renewed),
    failed: (error) => logger.error({ err: error }, 'the certificate could not be renewed'),
  });
  const { data, control } = await startPlanes(options, log).catch((error: unknown) => {
    serving[Symbol.dispose]();
    throw error;
  });
  const listener = new SecureListener({
    handler: withAccessLog(control.api, logger),
    certificate: pair,
    log,
  });
  shown.by = listener;
  return {
    certificateAuthority: authority.pem,
    names: new Set(names),
    router: routerMount(engine.keys, data.router),
    gatewayAddress: data.network.gatewayAddress,
    listen: (port) => listener.listen(host, port),
    close: (graceMs) => {
      control.api.close();
      return listener.close(graceMs);
    },
    [Symbol.asyncDispose]: async () => {
      serving[Symbol.dispose]();
      await control[Symbol.asyncDispose]();
      await data[Symbol.asyncDispose]();
    },
  };
}

/** The network of sandboxes cannot be had as it was asked for. The message is for people. */
export class PodNetworkError extends Error {
  override name = 'PodNetworkError';
}

/** The data plane finds sandboxes by what the control plane knows, which needs the data plane's ports. */
async function startPlanes(
  { engine, table, release, podNetwork, idleTimeoutMs }: AgentSandboxOptions,
  log: DataPlaneOptions['log'],
): Promise<{ data: DataPlane; control: ControlPlane }> {
  let control: ControlPlane | undefined;
  const directory = () => {
    if (control === undefined) throw new Error('the control plane has not started');
    return control.directory;
  };
  const data = await startDataPlane({
    engine,
    directory,
    podNetwork: podNetwork && { ...podNetwork, former: formerAddresses(table) },
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    log,
  }).catch((error: unknown) => {
    throw new PodNetworkError(error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  });
  try {
    control = startControlPlane({
      engine,
      table,
      pods: data.pods,
      network: data.network,
      release,
      log,
    });
  } catch (error) {
    await data[Symbol.asyncDispose]();
    throw error;
  }
  return { data, control };
}
