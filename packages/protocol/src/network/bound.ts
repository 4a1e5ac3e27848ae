import { isWithin, sizeOf } from './ipv4.ts';
import type { Egress, Network } from './network.ts';
import {
  type NetworkRule,
  type PortProtocol,
  opensClosedNetworks,
  parseNetworkRule,
} from './rule.ts';

/** Most that a network may open. */
export interface NetworkBound {
  readonly egress: Egress;
  /** With `allowlist`: every rule has to open no more than one of these. Left out: any rule. */
  readonly allow?: readonly string[] | undefined;
}

const ranks: Readonly<Record<Egress, number>> = { none: 0, allowlist: 1, all: 2 };

/** What of a network is beyond the bound, as `egress "all"` or `the rule "a.test"`. */
export function beyondBound({ egress, allow = [] }: Network, bound: NetworkBound) {
  if (ranks[egress] > ranks[bound.egress]) return `egress "${egress}"`;
  if (egress !== 'allowlist') return undefined;
  const beyond = allow.find((text) => !isAllowed(text, bound));
  return beyond === undefined ? undefined : `the rule ${JSON.stringify(beyond)}`;
}

/** What of a network is left within the bound. */
export function withinBound(network: Network, bound: NetworkBound): Network {
  if (beyondBound(network, bound) === undefined) return network;
  const { allow: _, ...rest } = network;
  const allow = (network.allow ?? []).filter((text) => isAllowed(text, bound));
  if (bound.egress === 'none' || allow.length === 0) return { egress: 'none' };
  return { ...rest, egress: 'allowlist', allow };
}

function isAllowed(text: string, { egress, allow }: NetworkBound): boolean {
  if (egress !== 'allowlist' || allow === undefined) return true;
  const rule = parseNetworkRule(text);
  return allow.some((each) => covers(parseNetworkRule(each), rule));
}

/** Whether a rule opens all that another one opens. */
export function covers(outer: NetworkRule, inner: NetworkRule): boolean {
  if (outer.port !== undefined && outer.port !== inner.port) return false;
  if (protocolOf(outer) !== undefined && protocolOf(outer) !== protocolOf(inner)) return false;
  // Names lead to public addresses only.
  if (outer.kind === 'port') return !opensClosedNetworks(inner);
  if (outer.kind === 'name' && inner.kind === 'name')
    return outer.below
      ? inner.name.endsWith(`.${outer.name}`) || (inner.below && inner.name === outer.name)
      : inner.name === outer.name && !inner.below;
  if (outer.kind !== 'addresses' || inner.kind !== 'addresses') return false;
  const { base } = inner.network;
  return isWithin(base, outer.network) && sizeOf(inner.network) <= sizeOf(outer.network);
}

const protocolOf = (rule: NetworkRule): PortProtocol | undefined =>
  rule.kind === 'name' ? undefined : rule.protocol;
