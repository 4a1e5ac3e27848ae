import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Engine } from '@sandport/engine';
import { ApiServer, createObjectStore, type ObjectTable, type Resource } from '@sandport/kube-api';
import { apiKeyOf, type Mount } from '@sandport/server';
import type { Logger } from 'pino';
import { agentSandboxCaller, type AgentSandboxCaller } from './caller.ts';
import { startDataPlane } from './data-plane.ts';
import { SecureListener } from './listener/secure-listener.ts';
import { routerMount } from './router-mount.ts';
import type { SandboxDirectory } from './sandboxes/sandbox-directory.ts';
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
 * Puts the dialect together and starts it, upon an engine that has recovered.
 * @throws AuthorityFileError when the certificate authority cannot be used
 */
export async function startAgentSandbox(options: AgentSandboxOptions): Promise<AgentSandbox> {
  const { engine, table, logger, dataDir, host, release } = options;
  const authority = await openAuthority(join(dataDir, 'kubernetes'));
  const names = serverNames(host, options.names);
  let listener: SecureListener | undefined;
  const { serving, pair } = await ServingCertificate.start({
    authority,
    names,
    renewed: (renewed) => listener?.useCertificate(renewed),
    failed: (error) => logger.error({ err: error }, 'the certificate could not be renewed'),
  });
  const log = (message: string, fields: Record<string, unknown>) => logger.warn(fields, message);
  const directory: SandboxDirectory = { find: () => undefined, byAddress: () => undefined };
  const plane = await startDataPlane({ engine, directory: () => directory, log });
  const resources: readonly Resource[] = [];
  const store = createObjectStore({ resources, table, log });
  const api = new ApiServer({
    store,
    resources,
    pods: plane.pods,
    authenticate: callerOf(engine.keys),
    sharedNamespace: 'agent-sandbox-system',
    release,
    log,
  });
  listener = new SecureListener({
    handler: api,
    certificate: pair,
    log,
  });
  return {
    certificateAuthority: authority.pem,
    names: new Set(names),
    router: routerMount(engine.keys, plane.router),
    gatewayAddress: undefined,
    listen: (port) => listener.listen(host, port),
    close: (graceMs) => {
      api.close();
      return listener.close(graceMs);
    },
    [Symbol.asyncDispose]: async () => {
      serving[Symbol.dispose]();
      await plane[Symbol.asyncDispose]();
    },
  };
}

/** Tells the caller of a request by its API key, which is the token of Kubernetes clients. */
const callerOf =
  (keys: Engine['keys']) =>
  ({ headers }: IncomingMessage): AgentSandboxCaller | undefined => {
    const key = apiKeyOf(headers);
    const principal = key === undefined ? undefined : keys.authenticate(key);
    return principal && agentSandboxCaller(principal);
  };
