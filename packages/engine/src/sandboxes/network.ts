import type { DriverSandbox, SandboxSpec } from '@sandport/driver';
import {
  type Network,
  type NetworkObject,
  opensClosedNetworks,
  parseNetworkRule,
  SandportFault,
} from '@sandport/protocol';
import { isAdministrator, type Principal } from '../principal.ts';

/** What is remembered of a sandbox beside what the driver gets. */
export interface RememberedSpec extends SandboxSpec {
  readonly networkState?: DriverSandbox['network'];
}

export const noNetwork: Network = { egress: 'none' };

/** The spec with what is true of a sandbox that has processes. */
export function withNetworkState(
  spec: SandboxSpec,
  { network: networkState }: Pick<DriverSandbox, 'network'>,
): RememberedSpec {
  const { networkState: _, ...rest }: RememberedSpec = spec;
  return networkState === undefined ? rest : { ...rest, networkState };
}

/** The part of a spec for a network; nothing for none. */
export const withNetwork = (network: Network | undefined): Pick<SandboxSpec, 'network'> =>
  network === undefined || network.egress === 'none' ? {} : { network };

/** The network of a sandbox as clients see it. */
export function networkObject({ network, networkState }: RememberedSpec): NetworkObject {
  if (network === undefined) return noNetwork;
  return { ...network, ...(networkState === 'pending' ? { pending: true } : {}) };
}

/**
 * Private networks are those of the machine's owner: a key that is for some namespaces only must
 * not open them.
 * @throws SandportFault `forbidden`
 */
export function requireMayOpen(principal: Principal, network: Network | undefined): void {
  if (isAdministrator(principal)) return;
  const closed = network?.allow?.find((text) => opensClosedNetworks(parseNetworkRule(text)));
  if (closed === undefined) return;
  throw new SandportFault(
    'forbidden',
    `The rule "${closed}" opens a private network, which takes an API key for all namespaces; ask for another "network".`,
    { field: 'network' },
  );
}
