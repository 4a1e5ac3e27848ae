import { formatIpv4, type Ipv4Network } from '@sandport/protocol';

/** What the parts of one daemon's networks are called, and which addresses they have. */
export interface NetworkNames {
  /** Table of nftables in the family `inet`. */
  readonly table: string;
  /** How the names of all its interfaces begin. */
  readonly interfacePrefix: string;
  /** Addresses of this daemon. */
  readonly block: Ipv4Network;
  /** What sandboxes see as their gateway and resolver. */
  readonly gateway: string;
}

/** @param hash of the data directory, in hex */
export const networkNames = (hash: string, block: Ipv4Network): NetworkNames => ({
  table: `sandport_${hash}`,
  interfacePrefix: interfacePrefixOf(hash),
  block,
  gateway: formatIpv4(block.base + 1),
});

/** The kernel allows 15 bytes: 9 of these and up to 5 for the number. */
export const interfacePrefixOf = (hash: string): string => `sp${hash.slice(0, 6)}-`;

/** One sandbox's place in a network. */
export interface GuestNames {
  /** On the host; the guest calls its end eth0. */
  readonly interface: string;
  readonly address: string;
  readonly chain: string;
  /** Addresses that were answers for names. */
  readonly pinned: string;
  /** The same, of rules with a port. */
  readonly pinnedPorts: string;
}

/** @param index from 0, one a sandbox */
export function guestNames({ interfacePrefix, block }: NetworkNames, index: number): GuestNames {
  const tag = index.toString(16);
  return {
    interface: `${interfacePrefix}${tag}`,
    address: formatIpv4(block.base + firstGuest + index),
    chain: `guest_${tag}`,
    pinned: `pinned_${tag}`,
    pinnedPorts: `ports_${tag}`,
  };
}

/** The network's own address and the gateway's come before. */
export const firstGuest = 2;
