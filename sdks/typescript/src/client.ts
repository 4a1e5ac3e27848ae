import {
  type KubernetesObject,
  kubernetesSchema,
  type SandboxEvent,
  type SshObject,
  sshSchema,
} from '@sandport/protocol';
import { type ClientOptions, resolveClientConfig } from './config/client-options.ts';
import { Transport } from './http/transport.ts';
import { Keys } from './resources/keys.ts';
import { NamespaceNetworks } from './resources/namespace-networks.ts';
import { Pools } from './resources/pools.ts';
import { Quotas } from './resources/quotas.ts';
import { Snapshots } from './resources/snapshots.ts';
import { SshKeys } from './resources/ssh-keys.ts';
import { Templates } from './resources/templates.ts';
import { type VersionInfo, versionSchema } from './resources/version.ts';
import { Volumes } from './resources/volumes.ts';
import {
  type EventSource,
  type EventsOptions,
  followEvents,
  type FollowEventsOptions,
  listEvents,
} from './sandbox/events.ts';
import { sandboxPath } from './sandbox/sandbox-api.ts';

/**
 * A daemon, and what it has beside sandboxes. Sandboxes find their daemon themselves; make a client
 * to use another one, or for what is shared: templates, volumes, snapshots, pools, quotas,
 * networks of namespaces, and keys.
 */
export class Client {
  readonly templates: Templates;
  readonly volumes: Volumes;
  readonly snapshots: Snapshots;
  readonly pools: Pools;
  readonly quotas: Quotas;
  readonly namespaceNetworks: NamespaceNetworks;
  readonly keys: Keys;
  readonly sshKeys: SshKeys;
  /** Sends requests; for code that builds on this package. */
  readonly transport: Transport;
  /** Milliseconds that a new sandbox may take. */
  readonly createTimeoutMs: number;

  /** @throws ConfigurationError when no address or key is to be found */
  constructor(options: ClientOptions = {}) {
    const config = resolveClientConfig(options);
    this.transport = new Transport(config);
    this.createTimeoutMs = config.idleTimeoutMs === 0 ? 0 : Math.max(config.idleTimeoutMs, 180_000);
    this.templates = new Templates(this.transport);
    this.volumes = new Volumes(this.transport);
    this.snapshots = new Snapshots(this.transport);
    this.pools = new Pools(this.transport);
    this.quotas = new Quotas(this.transport);
    this.namespaceNetworks = new NamespaceNetworks(this.transport);
    this.keys = new Keys(this.transport);
    this.sshKeys = new SshKeys(this.transport);
  }

  /** Address of the daemon. */
  get url(): string {
    return this.transport.url;
  }

  /** Version of the daemon. */
  version(options: { signal?: AbortSignal } = {}): Promise<VersionInfo> {
    return this.transport.json({ method: 'GET', path: '/version', ...options }, versionSchema);
  }

  /**
   * How clients of Kubernetes, as kubectl, reach this daemon. Their token is the API key.
   * @throws NotFoundError with the code `kubernetes_off` when it does not listen for them
   */
  kubernetes(options: { signal?: AbortSignal } = {}): Promise<KubernetesObject> {
    const request = { method: 'GET', path: '/v1/kubernetes', ...options } as const;
    return this.transport.json(request, kubernetesSchema);
  }

  /**
   * How clients of SSH reach this daemon. The user name is the id of a sandbox, the password an API
   * key.
   * @throws NotFoundError with the code `ssh_off` when it does not listen for them
   */
  ssh(options: { signal?: AbortSignal } = {}): Promise<SshObject> {
    return this.transport.json({ method: 'GET', path: '/v1/ssh', ...options }, sshSchema);
  }

  /** The last events of all sandboxes that the key may see, or of one, oldest first. */
  events({ sandbox, ...options }: EventsOptions & OfSandbox = {}): Promise<SandboxEvent[]> {
    return listEvents(this.#eventSource(sandbox), options);
  }

  /** The same as they happen, until the signal is aborted; see `Sandbox.followEvents`. */
  followEvents({
    sandbox,
    ...options
  }: FollowEventsOptions & OfSandbox = {}): AsyncGenerator<SandboxEvent, void, undefined> {
    return followEvents(this.#eventSource(sandbox), options);
  }

  /** Closes the connections that are kept open; the process ends without it, too. */
  close(): void {
    this.transport.close();
  }

  #eventSource(sandbox: string | undefined): EventSource {
    const { transport } = this;
    return sandbox === undefined ? { transport } : { transport, sandboxPath: sandboxPath(sandbox) };
  }
}

export interface OfSandbox {
  /** Only of this one, by id or name; one that is gone is known by its id for a day. */
  sandbox?: string | undefined;
}

/** Options to reach a daemon, or a client that has them. */
export type ClientSource = Client | ClientOptions;

const shared = new Map<string, Client>();

/** The client for some options: one for each daemon, so that connections are used again. */
export function clientFor(source: ClientSource = {}): Client {
  if (source instanceof Client) return source;
  const config = resolveClientConfig(source);
  const key = JSON.stringify([config.url, config.apiKey, config.idleTimeoutMs]);
  let client = shared.get(key);
  if (client === undefined) {
    client = new Client(config);
    shared.set(key, client);
  }
  return client;
}
