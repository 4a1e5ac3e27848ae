import {
  closedNetworks,
  formatNetwork,
  type Ipv4Network,
  neverNetworks,
  overlaps,
  parseNetwork,
} from './ipv4.ts';

/** Of a port; without one it is open for both. */
export type PortProtocol = 'tcp' | 'udp';

/** What one entry of `allow` opens. Without a port: all ports. */
export type NetworkRule =
  | {
      readonly kind: 'name';
      /** Lower case; without the `*.` of a wildcard. */
      readonly name: string;
      /** True: all names below it, and not itself. */
      readonly below: boolean;
      readonly port?: number | undefined;
    }
  | {
      readonly kind: 'addresses';
      readonly network: Ipv4Network;
      readonly port?: number | undefined;
      readonly protocol?: PortProtocol | undefined;
    }
  | {
      /** One port of every public address; names of any host have addresses. */
      readonly kind: 'port';
      readonly port: number;
      readonly protocol?: PortProtocol | undefined;
    };

/** Shortest prefix of a rule for addresses: what is more is nearly everything. */
const shortestPrefix = 8;
const label = '(?!-)[a-z0-9_-]{1,63}(?<!-)';
const namePattern = new RegExp(`^${label}(\\.${label})*$`);

/** Thrown for an entry that is no rule; the message names it. */
export class NetworkRuleError extends Error {
  override readonly name = 'NetworkRuleError';
}

/**
 * Reads an entry of `allow`: `example.com`, `*.example.com`, `10.1.2.0/24`, `1.2.3.4`, each also
 * with a port, as `example.com:443`; or a port of all public addresses, as `*:443`. Ports of
 * addresses can be of one protocol, as `10.1.2.0/24:53/udp`.
 * @throws NetworkRuleError
 */
export function parseNetworkRule(text: string): NetworkRule {
  const refuse = (why: string) =>
    new NetworkRuleError(`the rule ${JSON.stringify(text.slice(0, 80))} ${why}`);
  if (text.includes('::') || text.startsWith('['))
    throw refuse('is for IPv6, which sandboxes do not have: name the host, or its IPv4 address');
  const [host = '', portAndProtocol, rest] = text.split(':');
  if (rest !== undefined) throw refuse('has more than one ":"');
  const [, portText, protocol] = /^(.*?)(?:\/(tcp|udp))?$/.exec(portAndProtocol ?? '') ?? [];
  const of: { protocol?: PortProtocol } =
    protocol === 'tcp' || protocol === 'udp' ? { protocol } : {};
  const port = portAndProtocol === undefined ? undefined : parsePort(portText ?? '');
  if (portAndProtocol !== undefined && port === undefined)
    throw refuse('has a port that is not a number from 1 to 65535');
  if (host === '*' && port !== undefined) return { kind: 'port', port, ...of };
  if (/^[\d./]+$/.test(host))
    return { kind: 'addresses', network: parseAddresses(host, refuse), port, ...of };
  if (protocol !== undefined)
    throw refuse('is for one protocol, which only rules for addresses can be: leave it out');
  const below = host.startsWith('*.');
  const name = (below ? host.slice(2) : host).toLowerCase().replace(/\.$/, '');
  if (name.includes('*'))
    throw refuse(
      'has a "*" that is neither the first label, as in "*.example.com", nor before a port, as in "*:443"',
    );
  if (/[^\x20-\x7e]/.test(name)) throw refuse('is not ASCII: write the name as DNS does, "xn--…"');
  if (name.length > 253 || !namePattern.test(name))
    throw refuse('is neither a host name nor an IPv4 address or network');
  if (below && !name.includes('.'))
    throw refuse('opens a whole top-level domain: name the domain below it');
  return { kind: 'name', name, below, port };
}

/** Whether it opens what is closed to everybody else: private networks and the like. */
export const opensClosedNetworks = (rule: NetworkRule): boolean =>
  rule.kind === 'addresses' && closedNetworks.some((each) => overlaps(each, rule.network));

/** Whether a rule is for this name, which is in lower case and without a dot at its end. */
export const isForName = (rule: NetworkRule, name: string): boolean =>
  rule.kind === 'name' && (rule.below ? name.endsWith(`.${rule.name}`) : name === rule.name);

function parsePort(text: string): number | undefined {
  if (!/^[1-9]\d{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

function parseAddresses(text: string, refuse: (why: string) => NetworkRuleError): Ipv4Network {
  const network = parseNetwork(text);
  if (network === undefined)
    throw refuse(
      'is no IPv4 address or network; a network is written with its first address, as "10.1.2.0/24"',
    );
  if (network.prefix < shortestPrefix)
    throw refuse(`opens more than a /${shortestPrefix}: use "egress": "all" for the internet`);
  const never = neverNetworks.find((each) => overlaps(each, network));
  if (never !== undefined) throw refuse('is for addresses that no sandbox may reach');
  return network;
}

/** Equal for rules that open the same, however they are written. */
export function ruleText(rule: NetworkRule): string {
  const protocol = rule.kind === 'name' || rule.protocol === undefined ? '' : `/${rule.protocol}`;
  const port = rule.port === undefined ? '' : `:${rule.port}${protocol}`;
  if (rule.kind === 'port') return `*${port}`;
  if (rule.kind === 'name') return `${rule.below ? '*.' : ''}${rule.name}${port}`;
  return `${formatNetwork(rule.network)}${port}`;
}
