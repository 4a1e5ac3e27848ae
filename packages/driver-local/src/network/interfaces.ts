import { existsSync } from 'node:fs';
import type { GuestNames, NetworkNames } from './names.ts';
import { runBatch } from './programs.ts';

/** Name of the interface inside. */
const inside = 'eth0';

/**
 * Joins a network namespace with the host: a pair of interfaces, an address inside, and the gateway
 * as the only way out. IPv6 stays without an address.
 * @param namespace path of the namespace
 */
export async function joinNamespace(
  { gateway }: NetworkNames,
  guest: GuestNames,
  namespace: string,
): Promise<void> {
  const host = [
    `link add ${guest.interface} type veth peer name ${inside} netns ${namespace}`,
    ...withoutIpv6(guest.interface),
    `addr add ${gateway}/32 dev ${guest.interface}`,
    `link set ${guest.interface} up`,
    `route replace ${guest.address}/32 dev ${guest.interface} src ${gateway}`,
  ];
  // The kernel takes a namespace apart a moment after its last process: the name may still be there.
  await runBatch('ip', host).catch(async () => {
    await removeInterface(guest.interface);
    await runBatch('ip', host);
  });
  await runBatch(
    'ip',
    [
      'link set lo up',
      ...withoutIpv6(inside),
      `addr add ${guest.address}/32 dev ${inside}`,
      `link set ${inside} up`,
      `route add ${gateway}/32 dev ${inside}`,
      `route add default via ${gateway} dev ${inside}`,
    ],
    namespace,
  );
}

/** No link-local address comes up with the interface. */
const withoutIpv6 = (device: string): string[] =>
  existsSync('/proc/sys/net/ipv6') ? [`link set ${device} addrgenmode none`] : [];

/** With its other end. No error when it is not there. */
export async function removeInterface(name: string): Promise<void> {
  await runBatch('ip', [`link del ${name}`]).catch(() => undefined);
}

/**
 * Limits both directions, or takes the limits away.
 * @param namespace path of the namespace with the other end
 */
export async function limitBandwidth(
  guest: GuestNames,
  namespace: string,
  mbps: number | undefined,
): Promise<void> {
  const line = (device: string) =>
    mbps === undefined
      ? `qdisc del dev ${device} root`
      : `qdisc replace dev ${device} root tbf rate ${Math.round(mbps * 1000)}kbit burst ${burstBytes(mbps)} latency 100ms`;
  const set = [runBatch('tc', [line(guest.interface)]), runBatch('tc', [line(inside)], namespace)];
  // Nothing to take away is as good.
  if (mbps === undefined) await Promise.allSettled(set);
  else await Promise.all(set);
}

/** What passes at once: a hundredth of a second, and never less than a large segment. */
const burstBytes = (mbps: number): number =>
  Math.max(Math.ceil((mbps * 1_000_000) / 8 / 100), 96 * 1024);

/** Puts the gateway's address on the host, for the resolver to listen on. */
export async function addGateway({ gateway }: NetworkNames): Promise<void> {
  await runBatch('ip', [`addr replace ${gateway}/32 dev lo`]);
}

export async function removeGateway({ gateway }: NetworkNames): Promise<void> {
  await runBatch('ip', [`addr del ${gateway}/32 dev lo`]).catch(() => undefined);
}
