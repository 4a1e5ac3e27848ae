import { type Egress, type NamespaceNetwork, namespaceNetworkSchema } from '@sandport/protocol';
import type { SignalOptions } from '../filesystem/progress.ts';
import type { Transport } from '../http/transport.ts';
import { networkBody, type SandboxNetwork } from '../sandbox/network-options.ts';

/** What sandboxes of a namespace may reach. What is left out is taken away. */
export interface NamespaceNetworkOptions {
  /** Most that one of them may have, whoever asks. @default 'all' */
  maxEgress?: Egress | undefined;
  /** With `allowlist`: their rules may open no more than these. @default any rule */
  maxAllow?: readonly string[] | undefined;
  /** Of sandboxes that ask for none, and whose template has none. @default none */
  default?: SandboxNetwork | undefined;
}

/** What networks the sandboxes of namespaces have by default, and at most. */
export class NamespaceNetworks {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  get(namespace: string, { signal }: SignalOptions = {}): Promise<NamespaceNetwork> {
    return this.#transport.json(
      { method: 'GET', path: networkPath(namespace), signal },
      namespaceNetworkSchema,
    );
  }

  /**
   * Sets all of it. Sandboxes that have more than the new bound lose what is beyond it. For
   * administrators.
   *
   * @example
   * await client.namespaceNetworks.set('ci', { maxEgress: 'allowlist', maxAllow: ['*.example.org'] });
   */
  set(
    namespace: string,
    options: NamespaceNetworkOptions,
    { signal }: SignalOptions = {},
  ): Promise<NamespaceNetwork> {
    const json = {
      max_egress: options.maxEgress,
      max_allow: options.maxAllow,
      default: options.default && networkBody(options.default),
    };
    return this.#transport.json(
      { method: 'PUT', path: networkPath(namespace), json, signal },
      namespaceNetworkSchema,
    );
  }
}

const networkPath = (namespace: string) =>
  `/v1/namespaces/${encodeURIComponent(namespace)}/network`;
