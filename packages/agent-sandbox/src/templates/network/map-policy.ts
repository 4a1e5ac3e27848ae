import {
  closedNetworks,
  formatNetwork,
  type Ipv4Network,
  maxNetworkRules,
  type Network,
  neverNetworks,
  opensClosedNetworks,
  parseNetworkRule,
} from '@sandport/protocol';
import { contains, parseBlock, without } from './blocks.ts';
import { type Note, portSuffixes } from './policy-ports.ts';
import type { EgressRule, PolicyPeer, TemplateNetworkPolicy } from './policy-types.ts';

/** What a NetworkPolicy is here. It never opens more than the policy does. */
export interface MappedPolicy {
  readonly network: Network;
  /** What of it has no effect, a sentence each that begins with its field. */
  readonly notes: readonly string[];
  /** Why it cannot be: nothing is open then. */
  readonly faults: readonly { readonly field: string; readonly message: string }[];
}

export interface MapPolicyOptions {
  /** Whether it may open private networks: an administrator wrote it. */
  readonly mayOpenPrivate: boolean;
}

/** Everything, or blocks of addresses. */
type Destination = 'anywhere' | readonly Ipv4Network[];

const closed: Network = { egress: 'none' };
const privateNetworks = closedNetworks.filter((each) =>
  ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].includes(formatNetwork(each)),
);
/** Most blocks that may be taken out of another. */
const mostExceptions = 100;

/** Maps the policy of a template. What leaves is closed but for its rules for that. */
export function mapPolicy(
  { egress = [], ingress = [] }: TemplateNetworkPolicy,
  { mayOpenPrivate }: MapPolicyOptions,
): MappedPolicy {
  const notes: string[] = [];
  const faults: { field: string; message: string }[] = [];
  const texts = new Set<string>();
  let isOpen = false;
  if (ingress.length > 0)
    notes.push('ingress has no effect: sandboxes are reached through the router and the API only');
  for (const [at, rule] of egress.entries()) {
    if (texts.size > maxNetworkRules) break;
    const mapped = mapRule(rule, {
      note: (field, sentence) => notes.push(`egress[${at}]${field && `.${field}`} ${sentence}`),
      fault: (field, message) => faults.push({ field: `egress[${at}].${field}`, message }),
      mayOpenPrivate,
    });
    for (const text of mapped)
      if (text === '*') isOpen = true;
      else texts.add(text);
  }
  // What is open anyway needs no rule.
  const rules = isOpen
    ? [...texts].filter((text) => opensClosedNetworks(parseNetworkRule(text)))
    : [...texts];
  if (texts.size > maxNetworkRules)
    faults.push({
      field: 'egress',
      message: `Too many: it comes to more than ${maxNetworkRules} addresses and ports`,
    });
  if (faults.length > 0) return { network: closed, notes, faults };
  const allow = rules.length === 0 ? {} : { allow: rules };
  if (isOpen) return { network: { egress: 'all', ...allow }, notes, faults };
  return {
    network: rules.length === 0 ? closed : { egress: 'allowlist', ...allow },
    notes,
    faults,
  };
}

interface MapRuleOptions extends MapPolicyOptions {
  readonly note: Note;
  readonly fault: Note;
}

/** The rule in the words of networks; `*` opens the public internet. */
function mapRule({ to = [], ports = [] }: EgressRule, options: MapRuleOptions): string[] {
  const suffixes = portSuffixes(ports, options, maxNetworkRules);
  const texts: string[] = [];
  for (const destination of destinationsOf(to, options))
    for (const suffix of suffixes)
      if (destination === 'anywhere') texts.push(`*${suffix}`);
      else texts.push(...destination.map((block) => `${formatNetwork(block)}${suffix}`));
  return texts;
}

function destinationsOf(to: readonly PolicyPeer[], options: MapRuleOptions): Destination[] {
  if (to.length === 0) {
    options.note('', publicOnly);
    return ['anywhere'];
  }
  const destinations: Destination[] = [];
  let blocks = 0;
  for (const [at, peer] of to.entries()) {
    const field = `to[${at}]`;
    const destination = destinationOf(peer, field, options);
    if (destination === undefined) continue;
    destinations.push(destination);
    blocks += destination === 'anywhere' ? 1 : destination.length;
    if (blocks <= maxNetworkRules) continue;
    options.fault(field, `Too many: it comes to more than ${maxNetworkRules} addresses`);
    return [];
  }
  return destinations;
}

const publicOnly = 'opens the public internet only: name private networks in ipBlocks of their own';

/** Undefined: nothing is open by it. */
function destinationOf(
  { ipBlock, podSelector, namespaceSelector }: PolicyPeer,
  field: string,
  { note, fault, mayOpenPrivate }: MapRuleOptions,
): Destination | undefined {
  if (ipBlock === undefined) {
    const selector =
      podSelector === undefined && namespaceSelector !== undefined
        ? 'namespaceSelector'
        : 'podSelector';
    note(`${field}.${selector}`, 'opens nothing: sandboxes do not reach each other');
    return undefined;
  }
  const { cidr = '', except = [] } = ipBlock;
  if (cidr.includes(':')) {
    note(`${field}.ipBlock.cidr`, 'opens nothing: sandboxes have no IPv6');
    return undefined;
  }
  const block = parseBlock(cidr);
  const exceptions = except.filter((text) => !text.includes(':')).map(parseBlock);
  const holes = exceptions.filter((each) => each !== undefined);
  if (block === undefined || holes.length < exceptions.length || holes.length > mostExceptions) {
    const wrong = block === undefined ? 'cidr' : 'except';
    const message =
      holes.length > mostExceptions
        ? `Too many: there may be ${mostExceptions}`
        : 'Invalid value: must be blocks as 10.1.2.0/24';
    fault(`${field}.ipBlock.${wrong}`, message);
    return undefined;
  }
  if (block.prefix === 0) return anywhereBut(holes, field, note);
  const shut = mayOpenPrivate ? neverNetworks : [...neverNetworks, ...closedNetworks];
  const left = without(block, [...holes, ...shut], maxNetworkRules);
  if (left !== undefined) return left;
  fault(`${field}.ipBlock`, `Too many: it comes to more than ${maxNetworkRules} blocks`);
  return undefined;
}

/** Private networks are closed anyway; nothing else can be taken out of everything. */
function anywhereBut(
  holes: readonly Ipv4Network[],
  field: string,
  note: Note,
): Destination | undefined {
  const shut = [...closedNetworks, ...neverNetworks];
  const strange = holes.find((hole) => !shut.some((each) => contains(each, hole)));
  if (strange !== undefined) {
    note(
      `${field}.ipBlock`,
      `opens nothing: ${formatNetwork(strange)} is of the public internet, and cannot be taken out of 0.0.0.0/0`,
    );
    return undefined;
  }
  const isPublic = privateNetworks.every((each) => holes.some((hole) => contains(hole, each)));
  if (!isPublic) note(`${field}.ipBlock`, publicOnly);
  return 'anywhere';
}
