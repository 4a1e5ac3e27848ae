import type { AgentSandbox } from '@sandport/agent-sandbox';
import type { KubernetesAccess } from '@sandport/server';
import { type HostPort, shownHost } from './config/host-port.ts';
import { hostNameOf, reachableHost } from './listen.ts';

export interface KubernetesAccessOptions {
  readonly dialect: AgentSandbox;
  /** Where it is open; undefined while it is not. */
  readonly api: () => HostPort | undefined;
  readonly kubernetes: () => HostPort | undefined;
}

/**
 * Tells clients the addresses that are good for them: a daemon that listens on all addresses of its
 * machine is named as the client itself named it, if the certificate is for that name.
 */
export function kubernetesAccess(options: KubernetesAccessOptions): KubernetesAccess {
  const { dialect } = options;
  return {
    certificateAuthority: dialect.certificateAuthority,
    addresses: (hostField) => {
      const api = options.api();
      const kubernetes = options.kubernetes();
      if (api === undefined || kubernetes === undefined) return undefined;
      const named = hostNameOf(hostField);
      const known = named !== undefined && dialect.names.has(named) ? named : undefined;
      const at = ({ host, port }: HostPort) => `${shownHost(reachableHost(host, known))}:${port}`;
      return {
        server: `https://${at(kubernetes)}`,
        router: `http://${at(api)}${dialect.router.path}`,
        gateway: dialect.gatewayAddress && `http://${dialect.gatewayAddress}`,
      };
    },
  };
}
