import type { IncomingMessage } from 'node:http';
import type { Engine } from '@sandport/engine';
import {
  ApiServer,
  createObjectStore,
  type ObjectStore,
  type ObjectTable,
  type PodStreams,
  resourceKey,
} from '@sandport/kube-api';
import { apiKeyOf } from '@sandport/server';
import { agentSandboxCaller, type AgentSandboxCaller } from './caller.ts';
import { startControllers } from './controllers/start-controllers.ts';
import type { PodNetwork } from './pods/pod-network.ts';
import { systemNamespace } from './resources/keys.ts';
import { agentSandboxResources } from './resources/resources.ts';
import type { SandboxDirectory } from './sandboxes/sandbox-directory.ts';

export interface ControlPlaneOptions {
  readonly engine: Engine;
  /** Keeps the objects. */
  readonly table: ObjectTable;
  readonly pods: PodStreams;
  readonly network: PodNetwork;
  /** Release of the daemon. */
  readonly release: string;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
}

/** The objects: kept, served, and brought about. */
export interface ControlPlane extends AsyncDisposable {
  readonly api: ApiServer;
  readonly directory: SandboxDirectory;
}

/** Loads the objects and begins to bring sandboxes to what they say. Disposing leaves those running. */
export function startControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { engine, table, pods, network, release, log } = options;
  const resources = agentSandboxResources({
    release,
    gatewayAddress: () => network.gatewayAddress,
    namespaces: () => namespacesInUse(store, engine),
  });
  const store: ObjectStore = createObjectStore({ resources, table, log });
  const controllers = startControllers({ store, engine, network, log });
  const api = new ApiServer({
    store,
    resources,
    pods,
    authenticate: callerOf(engine.keys),
    sharedNamespace: systemNamespace,
    release,
    log,
  });
  return {
    api,
    directory: controllers.directory,
    [Symbol.asyncDispose]: async () => {
      api.close();
      await controllers[Symbol.asyncDispose]();
    },
  };
}

/** Those with objects that somebody made, with sandboxes, volumes or a quota. */
function namespacesInUse(store: ObjectStore, engine: Engine): Set<string> {
  const found = new Set<string>();
  for (const resource of store.resources.filter(({ persistent }) => persistent))
    for (const { metadata } of store.list(resourceKey(resource)))
      if (metadata.namespace !== undefined) found.add(metadata.namespace);
  for (const { namespace } of engine.quotas.list({ keyId: 'agent-sandbox' })) found.add(namespace);
  return found;
}

/** Tells the caller of a request by its API key, which is the token of Kubernetes clients. */
const callerOf =
  (keys: Engine['keys']) =>
  ({ headers }: IncomingMessage): AgentSandboxCaller | undefined => {
    const key = apiKeyOf(headers);
    const principal = key === undefined ? undefined : keys.authenticate(key);
    return principal && agentSandboxCaller(principal);
  };
