import { errnoOf, Links } from '@sandport/linux';
import type { GuestNames, NetworkNames } from './names.ts';
import type { NamespaceEnd } from './namespace-end.ts';
import { runBatch } from './programs.ts';

/** Name of the interface inside. */
const inside = 'eth0';

/**
 * Joins a network namespace with the host: a pair of interfaces, an address inside, and the gateway
 * as the only way out. IPv6 stays without an address. @throws Error
 */
export async function joinNamespace(
  { gateway }: NetworkNames,
  guest: GuestNames,
  { fd }: NamespaceEnd,
): Promise<void> {
  const { interface: device, address } = guest;
  using host = new Links();
  const pair = () => host.addPair(device, { name: inside, namespace: fd });
  try {
    pair();
  } catch (error) {
    // The kernel takes a namespace apart a moment after its last process.
    if (errnoOf(error) !== 'EEXIST') throw error;
    await removeInterface(device);
    pair();
  }
  host.withoutIpv6(device);
  // A guest that asks for the gateway under many addresses would fill the machine's table of neighbours.
  host.filterArp(device);
  host.addAddress(device, gateway);
  host.setUp(device);
  host.setRoute({ device, to: address, source: gateway });
  using guestLinks = new Links(fd);
  guestLinks.setUp('lo');
  guestLinks.withoutIpv6(inside);
  guestLinks.addAddress(inside, address);
  guestLinks.setUp(inside);
  guestLinks.setRoute({ device: inside, to: gateway });
  guestLinks.setRoute({ device: inside, via: gateway });
}

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
