import {
  closedNetworks,
  formatNetwork,
  type Ipv4Network,
  type Network,
  type NetworkRule,
  parseNetworkRule,
} from '@sandport/protocol';
import type { GuestNames, NetworkNames } from './names.ts';

/** Connections that one sandbox may have open through its network. */
const mostConnections = 4096;
/** Connections that one sandbox may open a second: what more costs, the others would feel. */
const newASecond = 500;
/** Questions for names that one sandbox may send a second. */
const questionsPerSecond = 100;
/** Denials of one sandbox that the kernel tells a second. */
const toldPerSecond = 50;
/** Packets of one sandbox that are answered with a refusal a second. */
const refusedPerSecond = 1000;
/** How long the kernel remembers connections that are over, and questions for names. */
const overSeconds = { timeWait: 10, close: 5, question: 10 };

export interface BaseRulesOptions {
  readonly names: NetworkNames;
  /** What sandboxes of all daemons have addresses of. */
  readonly range: Ipv4Network;
  /** Where the resolver listens on the gateway's address. */
  readonly resolver: { readonly udpPort: number; readonly tcpPort: number };
  /** Group of the log of packets. */
  readonly logGroup: number;
  /**
   * Forget connections soon after their end, which not every kernel can: what one sandbox leaves
   * behind takes places in a table that all of the machine shares. @default true
   */
  readonly shorten?: boolean | undefined;
}

/**
 * Commands of nftables for what all sandboxes have in common. They can be given again at any time:
 * what belongs to single sandboxes stays.
 */
export function baseRules(options: BaseRulesOptions): string {
  const { names, range, resolver, logGroup, shorten = true } = options;
  const { table, gateway, block } = names;
  const guests = `iifname "${names.interfacePrefix}*"`;
  const toGuests = `oifname "${names.interfacePrefix}*"`;
  const beyondLimit = `update @asking { iifname limit rate over ${questionsPerSecond}/second burst ${questionsPerSecond} packets }`;
  const chains: Record<string, readonly string[]> = {
    tell: [
      `update @told { ip saddr limit rate ${toldPerSecond}/second burst ${toldPerSecond} packets } log group ${logGroup} snaplen 64 queue-threshold 1`,
    ],
    refuse: [
      `update @refused { ip saddr limit rate over ${refusedPerSecond}/second burst ${refusedPerSecond} packets } drop`,
      'jump tell',
      'meta l4proto tcp reject with tcp reset',
      // What every kernel tells a program about, gVisor's too.
      'meta l4proto udp reject with icmp type port-unreachable',
      'reject with icmp type admin-prohibited',
    ],
    // What is dropped comes again a moment later; what is refused, at once.
    put_off: ['jump tell', 'drop'],
    shorten: shorten
      ? [
          'meta l4proto tcp ct timeout set "ended"',
          `ip daddr ${gateway} meta l4proto udp ct timeout set "question"`,
        ]
      : [],
    // Before the connection table looks at a packet: whose it says it is must be true.
    first: [
      `${guests} meta nfproto ipv6 drop`,
      `${guests} iifname . ip saddr != @owners drop`,
      `iifname != "${names.interfacePrefix}*" iifname != "lo" ip saddr ${formatNetwork(block)} drop`,
    ],
    to_resolver: [
      `${guests} ip daddr ${gateway} udp dport 53 redirect to :${resolver.udpPort}`,
      `${guests} ip daddr ${gateway} tcp dport 53 redirect to :${resolver.tcpPort}`,
    ],
    to_host: [
      // Before what is established: a question from the same port again is that, too.
      `${guests} ip daddr ${gateway} udp dport ${resolver.udpPort} ${beyondLimit} drop`,
      `${guests} ip daddr ${gateway} tcp dport ${resolver.tcpPort} ct state new ${beyondLimit} drop`,
      `${guests} ct state established,related accept`,
      `${guests} ip daddr ${gateway} ct state new jump shorten`,
      `${guests} ip daddr ${gateway} udp dport ${resolver.udpPort} accept`,
      `${guests} ip daddr ${gateway} tcp dport ${resolver.tcpPort} accept`,
      `${guests} goto refuse`,
    ],
    through: [
      `${guests} iifname vmap @guests`,
      `${guests} goto refuse`,
      `${toGuests} ct state established,related accept`,
      `${toGuests} drop`,
    ],
    // Other users of this machine have no business in sandboxes; the resolver's answers go back.
    from_host: [`${toGuests} ct state established,related accept`, `${toGuests} drop`],
    out: [`ip saddr ${formatNetwork(block)} oifname != "${names.interfacePrefix}*" masquerade`],
  };
  const hooks: Record<string, string> = {
    first: 'type filter hook prerouting priority raw; policy accept;',
    to_resolver: 'type nat hook prerouting priority dstnat; policy accept;',
    to_host: 'type filter hook input priority filter - 5; policy accept;',
    through: 'type filter hook forward priority filter - 5; policy accept;',
    from_host: 'type filter hook output priority filter - 5; policy accept;',
    out: 'type nat hook postrouting priority srcnat; policy accept;',
  };
  const lines = [
    `add table inet ${table}`,
    `add set inet ${table} owners { type ifname . ipv4_addr; }`,
    `add map inet ${table} guests { type ifname : verdict; }`,
    `add set inet ${table} told { type ipv4_addr; size 65535; flags dynamic,timeout; timeout 60s; }`,
    `add set inet ${table} refused { type ipv4_addr; size 65535; flags dynamic,timeout; timeout 60s; }`,
    `add set inet ${table} asking { type ifname; size 65535; flags dynamic,timeout; timeout 60s; }`,
    `add set inet ${table} closed { type ipv4_addr; flags interval; auto-merge; }`,
    `flush set inet ${table} closed`,
    `add element inet ${table} closed { ${[...new Set([...closedNetworks, range].map(formatNetwork))].join(', ')} }`,
  ];
  const { timeWait, close, question } = overSeconds;
  if (shorten)
    lines.push(
      `add ct timeout inet ${table} ended { protocol tcp; l3proto ip; policy = { time_wait: ${timeWait}, close: ${close} }; }`,
      `add ct timeout inet ${table} question { protocol udp; l3proto ip; policy = { unreplied: ${question}, replied: ${question} }; }`,
    );
  for (const chain of Object.keys(chains)) {
    const hook = hooks[chain];
    lines.push(`add chain inet ${table} ${chain}${hook === undefined ? '' : ` { ${hook} }`}`);
    lines.push(`flush chain inet ${table} ${chain}`);
  }
  for (const [chain, rules] of Object.entries(chains))
    for (const rule of rules) lines.push(`add rule inet ${table} ${chain} ${rule}`);
  return `${lines.join('\n')}\n`;
}

export interface GuestRulesOptions {
  readonly names: NetworkNames;
  readonly range: Ipv4Network;
  readonly guest: GuestNames;
  readonly network: Network;
  /** Mark of the connections that this policy has let through; another one for another policy. */
  readonly mark: number;
  /** True: addresses of names that were answered stay open. */
  readonly keepPinned: boolean;
}

/** Commands for one sandbox, in the place of those that are there. */
export function guestRules(options: GuestRulesOptions): string {
  const { names, range, guest, network, mark, keepPinned } = options;
  const { table } = names;
  const sets = [
    `add set inet ${table} ${guest.pinned} { type ipv4_addr; size 16384; flags timeout; }`,
    `add set inet ${table} ${guest.pinnedPorts} { type ipv4_addr . inet_service; size 16384; flags timeout; }`,
  ];
  const lines = [
    ...sets,
    ...(keepPinned ? [] : flushed(table, guest)),
    `add chain inet ${table} ${guest.chain}`,
    `flush chain inet ${table} ${guest.chain}`,
    ...policy(range, guest, network, mark).map(
      (rule) => `add rule inet ${table} ${guest.chain} ${rule}`,
    ),
    `add element inet ${table} owners { "${guest.interface}" . ${guest.address} }`,
    `add element inet ${table} guests { "${guest.interface}" : goto ${guest.chain} }`,
  ];
  return `${lines.join('\n')}\n`;
}

/** What a packet out of the sandbox meets, in order. */
function policy(
  range: Ipv4Network,
  guest: GuestNames,
  { egress, allow = [] }: Network,
  mark: number,
): string[] {
  if (egress === 'none') return ['goto refuse'];
  const accept = `ct mark set ${mark} accept`;
  return [
    // Other sandboxes, of this daemon and of others.
    `ip daddr ${formatNetwork(range)} goto refuse`,
    `ct state established,related ct mark ${mark} accept`,
    'meta l4proto != { tcp, udp, icmp } goto refuse',
    `ct state new limit rate over ${newASecond}/second burst ${newASecond * 2} packets goto put_off`,
    `ct state new ct count over ${mostConnections} goto refuse`,
    'ct state new jump shorten',
    ...allow.flatMap((text) => {
      const rule = parseNetworkRule(text);
      if (rule.kind !== 'addresses') return [];
      const port = rule.port === undefined ? '' : toPort(rule);
      return [`ip daddr ${formatNetwork(rule.network)} ${port}${accept}`];
    }),
    'ip daddr @closed goto refuse',
    ...(egress === 'all'
      ? [accept]
      : [
          ...allow.flatMap((text) => {
            const rule = parseNetworkRule(text);
            return rule.kind === 'port' ? [`${toPort(rule)}${accept}`] : [];
          }),
          `ip daddr @${guest.pinned} ${accept}`,
          `meta l4proto { tcp, udp } ip daddr . th dport @${guest.pinnedPorts} ${accept}`,
          'goto refuse',
        ]),
  ];
}

const toPort = ({ port, protocol }: Exclude<NetworkRule, { kind: 'name' }>): string =>
  `${protocol ?? 'meta l4proto { tcp, udp } th'} dport ${port} `;

const flushed = (table: string, guest: GuestNames): string[] => [
  `flush set inet ${table} ${guest.pinned}`,
  `flush set inet ${table} ${guest.pinnedPorts}`,
];

/** Commands that take a sandbox out; they fail when it is not in. */
export const removedGuest = ({ table }: NetworkNames, guest: GuestNames): string =>
  [
    `delete element inet ${table} guests { "${guest.interface}" }`,
    `delete element inet ${table} owners { "${guest.interface}" . ${guest.address} }`,
    ...['chain', 'set', 'set'].map(
      (kind, at) =>
        `delete ${kind} inet ${table} ${[guest.chain, guest.pinned, guest.pinnedPorts][at]}`,
    ),
    '',
  ].join('\n');

/** One address that a name has, and until when it is open. */
export interface Pin {
  readonly guest: GuestNames;
  readonly address: string;
  readonly port?: number | undefined;
  readonly seconds: number;
}

/** Commands that open addresses; one that is open already stays so for the new time. */
export const pinned = ({ table }: NetworkNames, pins: readonly Pin[]): string =>
  pins
    .flatMap(({ guest, address, port, seconds }) => {
      const set = port === undefined ? guest.pinned : guest.pinnedPorts;
      const key = port === undefined ? address : `${address} . ${port}`;
      const where = `element inet ${table} ${set}`;
      return [
        `add ${where} { ${key} }`,
        `delete ${where} { ${key} }`,
        `add ${where} { ${key} timeout ${seconds}s }\n`,
      ];
    })
    .join('\n');
