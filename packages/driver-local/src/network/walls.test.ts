import { execFileSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { createNetworkNamespace, inNetworkNamespace } from '@sandport/linux';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultRange } from './base.ts';
import { joinNamespace } from './interfaces.ts';
import { guestNames, networkNames } from './names.ts';
import { baseRules, guestRules } from './ruleset.ts';

/*
 * A guest that has its network namespace to itself, as no sandbox has: it says what it likes, and
 * the machine between it and the world has the loosest settings.
 */
const names = networkNames('0123456789ab', { base: 0xc6123000, prefix: 20 });
const guest = guestNames(names, 10);
const neighbour = guestNames(names, 11);
const machine = createNetworkNamespace();
const inside = createNetworkNamespace();
const world = createNetworkNamespace();

const run = (namespace: number, command: string) =>
  execFileSync('nsenter', [`--net=/proc/${process.pid}/fd/${namespace}`, 'bash', '-ec', command], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
const nft = (namespace: number, script: string) => run(namespace, `nft -f - <<'END'\n${script}END`);

/** Packets that came through: to the world, and to the machine itself. */
const counter = `
table inet seen {
  counter arrived { }
  chain input { type filter hook input priority 10; iifname != lo counter name arrived; }
}
`;
const seen = (namespace: number) =>
  Number(/packets (\d+)/.exec(run(namespace, 'nft list counter inet seen arrived'))?.[1]);
const arrived = () => ({ machine: seen(machine), world: seen(world) });
/** One datagram; errors are for the tests to see in what arrives. */
const send = (address: string, bytes = 4) =>
  run(
    inside,
    `dd if=/dev/zero bs=${bytes} count=1 status=none > /dev/udp/${address}/9 2>/dev/null || true`,
  );

const insideEnd = {
  fd: inside,
  path: `/proc/${process.pid}/fd/${inside}`,
  [Symbol.dispose]: () => undefined,
};

beforeAll(async () => {
  run(machine, 'ip link set lo up; ip link add out type veth peer name up0');
  run(machine, `ip link set up0 netns /proc/${process.pid}/fd/${world}`);
  run(machine, 'ip addr add 203.0.113.1/24 dev out; ip link set out up');
  run(world, 'ip addr add 203.0.113.2/24 dev up0; ip addr add 10.9.0.2/32 dev up0');
  run(world, 'ip link set up0 up');
  run(machine, `ip route add 10.9.0.2 via 203.0.113.2; ip addr add ${names.gateway}/32 dev lo`);
  for (const setting of ['ip_forward', 'conf/all/route_localnet'])
    run(machine, `echo 1 > /proc/sys/net/ipv4/${setting}`);
  for (const each of ['all', 'default', 'out'])
    run(machine, `echo 0 > /proc/sys/net/ipv4/conf/${each}/rp_filter`);
  await inNetworkNamespace(machine, () => joinNamespace(names, guest, insideEnd));
  // As systemd has it for interfaces that come up.
  run(machine, `echo 2 > /proc/sys/net/ipv4/conf/${guest.interface}/rp_filter`);
  const resolver = { udpPort: 5300, tcpPort: 5301 };
  nft(machine, baseRules({ names, range: defaultRange, resolver, logGroup: 77 }));
  const network = { egress: 'all' } as const;
  const options = { names, range: defaultRange, guest, network, mark: 256, keepPinned: false };
  nft(machine, guestRules(options));
  for (const each of [machine, world]) nft(each, counter);
});
afterAll(() => {
  for (const each of [machine, inside, world]) closeSync(each);
});

test('what is allowed comes through, whole or in pieces', () => {
  send('203.0.113.2');
  send('203.0.113.2', 4000);
  expect(arrived()).toEqual({ machine: 0, world: 2 });
});

test('nothing else does', () => {
  const before = arrived();
  // A private network, whole and in pieces; the machine by any of its addresses; a neighbour.
  for (const address of ['10.9.0.2', '203.0.113.1', names.gateway, neighbour.address])
    for (const bytes of [4, 4000]) send(address, bytes);
  expect(arrived()).toEqual(before);
  // The machine's loopback, from one that has given its own away.
  run(inside, 'ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.1 via 198.18.48.1 dev eth0');
  run(inside, 'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet');
  send('127.0.0.1');
  expect(arrived()).toEqual(before);
  // IPv6, which has no rules but one.
  run(inside, 'ip -6 addr add fe80::2/64 dev eth0 nodad');
  run(machine, `ip -6 addr add fe80::1/64 dev ${guest.interface} nodad`);
  for (const address of ['fe80::1%eth0', 'ff02::1%eth0']) send(address);
  expect(arrived()).toEqual(before);
});

test('a false sender does not, whoever it claims to be', () => {
  const before = arrived();
  for (const address of [neighbour.address, names.gateway, '203.0.113.2', '10.9.0.2']) {
    run(inside, `ip addr add ${address}/32 dev lo`);
    run(inside, `ip route replace 203.0.113.2 via 198.18.48.1 dev eth0 src ${address}`);
    // It has to ask for the gateway's link again, under the false address.
    run(inside, 'ip neigh flush dev eth0');
    send('203.0.113.2');
    run(inside, `ip route del 203.0.113.2; ip addr del ${address}/32 dev lo`);
  }
  expect(arrived()).toEqual(before);
  const neighbours = run(machine, `ip neigh show dev ${guest.interface}`).trim().split('\n');
  expect(neighbours).toEqual([expect.stringContaining(`${guest.address} `)]);
  run(inside, 'ip neigh flush dev eth0');
  send('203.0.113.2');
  expect(arrived()).toEqual({ ...before, world: before.world + 1 });
});
