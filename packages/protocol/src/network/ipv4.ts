/** An IPv4 network: `base` is its first address as a number. */
export interface Ipv4Network {
  readonly base: number;
  /** How many leading bits are fixed, 0 to 32. */
  readonly prefix: number;
}

/** A dotted address as a number; undefined for anything else, leading zeros included. */
export function parseIpv4(text: string): number | undefined {
  if (!/^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(text)) return undefined;
  const parts = text.split('.').map(Number);
  if (parts.some((part) => part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

export const formatIpv4 = (address: number): string =>
  [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');

/** How many addresses it has. */
export const sizeOf = ({ prefix }: Ipv4Network): number => 2 ** (32 - prefix);

export const formatNetwork = ({ base, prefix }: Ipv4Network): string =>
  `${formatIpv4(base)}/${prefix}`;

/** As `10.1.2.0/24`, or one address; undefined when it is neither, or has bits behind its prefix. */
export function parseNetwork(text: string): Ipv4Network | undefined {
  const [address = '', length, rest] = text.split('/');
  const base = parseIpv4(address);
  if (base === undefined || rest !== undefined) return undefined;
  if (length === undefined) return { base, prefix: 32 };
  if (!/^(\d|[12]\d|3[0-2])$/.test(length)) return undefined;
  const network = { base, prefix: Number(length) };
  return base % sizeOf(network) === 0 ? network : undefined;
}

export const overlaps = (one: Ipv4Network, other: Ipv4Network): boolean =>
  one.base < other.base + sizeOf(other) && other.base < one.base + sizeOf(one);

export const isWithin = (address: number, network: Ipv4Network): boolean =>
  address >= network.base && address < network.base + sizeOf(network);

const networks = (...texts: string[]): readonly Ipv4Network[] =>
  texts.flatMap((text) => parseNetwork(text) ?? []);

/**
 * Not the public internet: private networks, link-local and metadata addresses, carrier NAT, and
 * what is set aside. Sandboxes reach them only by a rule for addresses.
 */
export const closedNetworks = networks(
  '10.0.0.0/8',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '192.0.0.0/24',
  '198.18.0.0/15',
);

/** No rule opens these: this machine itself, broadcast, multicast. */
export const neverNetworks = networks('0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/4', '240.0.0.0/4');

/** Whether an address is of the public internet. */
export const isPublicAddress = (address: number): boolean =>
  ![...closedNetworks, ...neverNetworks].some((network) => isWithin(address, network));
