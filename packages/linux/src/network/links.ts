import { existsSync } from 'node:fs';
import {
  addressValue,
  attribute,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  textValue,
  u32Value,
  u8Value,
} from './netlink-message.ts';
import { NetlinkSocket } from './netlink-socket.ts';
import { inNetworkNamespace } from './network-namespace.ts';

// Values from include/uapi/linux: netlink.h, rtnetlink.h, if_link.h, if_addr.h, if.h, ip.h, veth.h.
const NETLINK_ROUTE = 0;
const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_SETLINK = 19;
const RTM_NEWADDR = 20;
const RTM_NEWROUTE = 24;
const IFLA_IFNAME = 3;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const IFLA_AF_SPEC = 26;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;
const IFLA_INET_CONF = 1;
const IPV4_DEVCONF_ARPFILTER = 13;
const IFLA_NET_NS_FD = 28;
const IFF_UP = 1;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PREFSRC = 7;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;
const AF_INET = 2;
const AF_INET6 = 10;

export interface Route {
  readonly device: string;
  /** One address; every address that nothing else leads to when left out. */
  readonly to?: string | undefined;
  /** Whom to hand packets to; the device itself leads there when left out. */
  readonly via?: string | undefined;
  /** Address that packets of this machine leave with. */
  readonly source?: string | undefined;
}

/**
 * The interfaces, addresses and routes of one network namespace. Addresses are those of IPv4.
 * Every method is done when it returns, and throws a SystemError with the kernel's errno.
 */
export class Links implements Disposable {
  readonly #socket: NetlinkSocket;

  /** @param namespace descriptor of a network namespace; this process's own when left out */
  constructor(namespace?: number) {
    const open = () => new NetlinkSocket(NETLINK_ROUTE);
    this.#socket = namespace === undefined ? open() : inNetworkNamespace(namespace, open);
  }

  /** A pair of interfaces, one here and one in another namespace; both are down. */
  addPair(name: string, peer: { readonly name: string; readonly namespace: number }): void {
    const other = [
      linkHead(),
      attribute(IFLA_IFNAME, textValue(peer.name)),
      attribute(IFLA_NET_NS_FD, u32Value(peer.namespace)),
    ];
    const info = [
      attribute(IFLA_INFO_KIND, textValue('veth')),
      attribute(IFLA_INFO_DATA, attribute(VETH_INFO_PEER, ...other)),
    ];
    this.#socket.request(`add interface ${name}`, {
      type: RTM_NEWLINK,
      flags: NLM_F_CREATE | NLM_F_EXCL,
      body: [
        linkHead(),
        attribute(IFLA_IFNAME, textValue(name)),
        attribute(IFLA_LINKINFO, ...info),
      ],
    });
  }

  setUp(name: string): void {
    this.#set(name, linkHead(IFF_UP));
  }

  /** No address of IPv6 comes up with the interface. */
  withoutIpv6(name: string): void {
    if (!existsSync('/proc/sys/net/ipv6')) return;
    const mode = attribute(IFLA_INET6_ADDR_GEN_MODE, u8Value(IN6_ADDR_GEN_MODE_NONE));
    this.#set(name, linkHead(), attribute(IFLA_AF_SPEC, attribute(AF_INET6, mode)));
  }

  /** ARP is heard there only from addresses that a route leads to through the interface. */
  filterArp(name: string): void {
    const filter = attribute(IFLA_INET_CONF, attribute(IPV4_DEVCONF_ARPFILTER, u32Value(1)));
    this.#set(name, linkHead(), attribute(IFLA_AF_SPEC, attribute(AF_INET, filter)));
  }

  /** That one address, without a network around it. */
  addAddress(device: string, address: string): void {
    const head = Buffer.alloc(8);
    head.writeUInt8(AF_INET, 0);
    head.writeUInt8(32, 1);
    head.writeUInt32LE(this.#indexOf(device), 4);
    this.#socket.request(`add an address to ${device}`, {
      type: RTM_NEWADDR,
      flags: NLM_F_CREATE | NLM_F_REPLACE,
      body: [
        head,
        attribute(IFA_LOCAL, addressValue(address)),
        attribute(IFA_ADDRESS, addressValue(address)),
      ],
    });
  }

  /** In the place of the one that leads there, if there is one. */
  setRoute({ device, to, via, source }: Route): void {
    const scope = via === undefined ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    const head = [AF_INET, to === undefined ? 0 : 32, 0, 0];
    head.push(RT_TABLE_MAIN, RTPROT_BOOT, scope, RTN_UNICAST, 0, 0, 0, 0);
    const address = (type: number, value: string | undefined) =>
      value === undefined ? [] : [attribute(type, addressValue(value))];
    this.#socket.request(`set a route through ${device}`, {
      type: RTM_NEWROUTE,
      flags: NLM_F_CREATE | NLM_F_REPLACE,
      body: [
        Buffer.from(head),
        ...address(RTA_DST, to),
        ...address(RTA_GATEWAY, via),
        ...address(RTA_PREFSRC, source),
        attribute(RTA_OIF, u32Value(this.#indexOf(device))),
      ],
    });
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  #set(name: string, head: Buffer, ...attributes: readonly Buffer[]): void {
    const body = [head, attribute(IFLA_IFNAME, textValue(name)), ...attributes];
    this.#socket.request(`change interface ${name}`, { type: RTM_SETLINK, flags: 0, body });
  }

  #indexOf(name: string): number {
    const body = [linkHead(), attribute(IFLA_IFNAME, textValue(name))];
    const what = `find interface ${name}`;
    const answer = this.#socket.request(what, { type: RTM_GETLINK, flags: 0, body });
    if (answer === undefined || answer.length < 24) throw new Error(`${what}: no answer`);
    return answer.readInt32LE(20);
  }
}

/** A `struct ifinfomsg` that sets these flags of an interface. */
function linkHead(flags = 0): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt32LE(flags, 8);
  head.writeUInt32LE(flags, 12);
  return head;
}
