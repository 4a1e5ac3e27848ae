import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type { Namespace, SandboxId } from '@sandport/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import type { LocatedSandbox } from '../../sandboxes/sandbox-directory.ts';
import { addressAt, automaticRanges, parseRange, podOffset } from './address-range.ts';
import { allowedUsers } from './allowed-users.ts';
import { LocalPodNetwork, type LocalPodNetworkOptions } from './local-pod-network.ts';
import { ownerIn, PeerOwners } from './peer-owner.ts';

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;

describe('ranges', () => {
  test('of automatic networks', () => {
    expect(automaticRanges[0]?.name).toBe('127.66.0.0/16');
    expect(automaticRanges.at(-1)?.name).toBe('127.95.0.0/16');
  });

  test('and their addresses', () => {
    const range = parseRange('127.66.0.0/16');
    expect(addressAt(range, 1)).toBe('127.66.0.1');
    expect(addressAt(range, 300)).toBe('127.66.1.44');
    expect(podOffset(range, '127.66.1.44')).toBe(300);
    for (const other of ['127.66.0.1', '127.67.0.20', '127.66.255.255', '10.0.0.1', 'x', '::1'])
      expect(podOffset(range, other)).toBeUndefined();
  });

  test.each(['10.0.0.0/16', '127.0.0.1/16', '127.66.0.0', '127.66.0.0/30', '127.999.0.0/16', ''])(
    'that are none: %s',
    (text) => {
      expect(() => parseRange(text)).toThrow(/range|network/);
    },
  );
});

describe('who is at the other end', () => {
  const header =
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
  const row = (ends: string, uid: number, inode: number) =>
    `   1: ${ends} 01 00000000:00000000 00:00000000 00000000  ${uid}        0 ${inode} 1 0000 20 4 30 10 -1\n`;
  const connection = {
    localAddress: '127.66.0.16',
    localPort: 8888,
    remoteAddress: '127.0.0.1',
    remotePort: 40_000,
  };
  const theirs = '0100007F:9C40 1000427F:22B8';
  const ours = '1000427F:22B8 0100007F:9C40';

  test('is whose row begins with the other end', () => {
    expect(ownerIn(header + row(ours, 0, 7) + row(theirs, 1000, 8), connection)).toBe(1000);
    expect(ownerIn(header + row(ours, 0, 7), connection)).toBeUndefined();
  });

  test('is nobody when no process has the connection any more', () => {
    expect(ownerIn(header + row(theirs, 0, 0), connection)).toBeUndefined();
  });

  test('is found in an IPv6 socket, too', () => {
    const mapped = '0000000000000000FFFF0000';
    const [one, two] = theirs.split(' ');
    const table = header + row(`${mapped}${one} ${mapped}${two}`, 12, 8);
    expect(ownerIn(table, connection)).toBe(12);
  });

  test('is this process, for its own connections', async () => {
    const owners = new PeerOwners();
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('it listens');
    const clients = Array.from({ length: 20 }, () => connect(address.port, '127.0.0.1'));
    await expect.poll(() => sockets.length).toBe(20);
    const found = await Promise.all(sockets.map((socket) => owners.ownerOf(socket)));
    expect(new Set(found)).toEqual(new Set([process.getuid?.()]));
    for (const socket of [...clients, ...sockets]) socket.destroy();
    server.close();
  });
});

test('users that may connect', () => {
  const own = process.getuid?.() ?? 0;
  expect(allowedUsers([], {})).toEqual(new Set([0, own]));
  expect(allowedUsers(['nobody', '1234'], { SUDO_UID: '1000' })).toEqual(
    new Set([0, own, 1000, 65_534, 1234]),
  );
  expect(() => allowedUsers(['no-such-user'], {})).toThrow('no-such-user');
});

describe.skipIf(!isRoot)('a pod network (needs root: it listens on port 80)', () => {
  const networks: LocalPodNetwork[] = [];
  const start = async (options: Partial<LocalPodNetworkOptions> = {}) => {
    const network = await LocalPodNetwork.start({
      range: 'auto',
      users: [],
      ports: [8888, 9090],
      httpPorts: [8888],
      accept: (port, socket, { name }) => socket.end(`${name} ${port}`),
      acceptGateway: (socket) => socket.end('gateway'),
      log: () => undefined,
      ...options,
    });
    networks.push(network);
    return network;
  };
  afterEach(() => {
    for (const network of networks.splice(0)) network[Symbol.dispose]();
  });

  test('a daemon that starts again has its range again, although an earlier one is free', async () => {
    const first = await start();
    const second = await start();
    const address = (await second.attach(sandbox('a'))) ?? '';
    second[Symbol.dispose]();
    first[Symbol.dispose]();
    const again = await start({ former: ['10.0.0.1', address] });
    expect(again.gatewayAddress).toBe(second.gatewayAddress);
    expect(await again.attach(sandbox('a'), address)).toBe(address);
    // Taken by now: another one is as good.
    const other = await start({ former: [address] });
    expect(other.gatewayAddress).not.toBe(again.gatewayAddress);
  });

  const sandbox = (name: string): LocatedSandbox => ({
    // What the directory of the controllers gives is of these types.
    namespace: 'default' as Namespace,
    name,
    sandboxId: name as SandboxId,
    uid: name,
    user: 'user',
    home: '/home/user',
  });
  const read = async (address: string | undefined, port: number) => {
    const socket = connect(port, address);
    return text(socket).catch((error: NodeJS.ErrnoException) => error.code);
  };

  test('leads to the sandbox of an address and to the gateway', async () => {
    const network = await start();
    const one = await network.attach(sandbox('one'));
    const two = await network.attach(sandbox('two'));
    expect(one).not.toBe(two);
    expect(await network.attach(sandbox('one'))).toBe(one);
    expect(await read(one, 8888)).toBe('one 8888');
    expect(await read(two, 9090)).toBe('two 9090');
    expect(await read(network.gatewayAddress, 80)).toBe('gateway');
    network.detach({ sandboxId: 'one' as SandboxId });
    expect(await read(one, 8888)).toBe('ECONNREFUSED');
    expect(await network.attach(sandbox('three'))).not.toBe(one);
    expect(await network.attach(sandbox('one'), one)).toBe(one);
    expect(await network.attach(sandbox('four'), one)).not.toBe(one);
  });

  test('gives each daemon a range', async () => {
    const [one, two] = [await start(), await start()];
    expect(one.gatewayAddress).not.toBe(two.gatewayAddress);
    const range = `${one.gatewayAddress?.replace(/\.1$/, '.0')}/16`;
    await expect(start({ range })).rejects.toThrow(/--pod-network/);
  });

  test('breaks connections to a sandbox that is detached', async () => {
    const network = await start({ accept: (_port, socket) => void socket.write('x') });
    const socket = connect(8888, await network.attach(sandbox('one')));
    await new Promise((resolve) => socket.once('data', resolve));
    network.detach({ sandboxId: 'one' as SandboxId });
    await new Promise((resolve) => socket.once('close', resolve));
  });

  test('works when another program has a port of all addresses', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(8797, '0.0.0.0', resolve));
    const logged: string[] = [];
    const network = await start({ ports: [8797, 8888], log: (message) => logged.push(message) });
    const address = await network.attach(sandbox('one'));
    expect(logged).toEqual(['a sandbox has no such port: another program listens there']);
    expect(await read(address, 8888)).toBe('one 8888');
    other.close();
  });

  test.skipIf(!existsSync('/usr/bin/setpriv'))('refuses other users before it reads', async () => {
    let accepted = 0;
    const accept = (_port: number, socket: Socket) => {
      accepted += 1;
      socket.end('yes');
    };
    const closed = await start({ accept });
    const script = (address: string | undefined, rest: string, port = 8888) => [
      '--reuid=65534',
      '--clear-groups',
      process.execPath,
      '-e',
      `const s=require('net').connect(${port},${JSON.stringify(address)});s.on('error',()=>{});s.on('data',(d)=>process.stdout.write(d));${rest}`,
    ];
    const address = await closed.attach(sandbox('one'));
    expect((await run('setpriv', script(address, ''))).stdout).toContain('--pod-network-users');
    expect((await run('setpriv', script(address, '', 9090))).stdout).toBe('');
    // One that closes its end at once is shown without an owner.
    await run('setpriv', script(address, "s.write('x',()=>s.destroy())"));
    await run('setpriv', script(address, "s.end('x')"));
    expect(accepted).toBe(0);
    const open = await start({ accept, users: ['nobody'] });
    const reached = await run('setpriv', script(await open.attach(sandbox('one')), ''));
    expect(reached.stdout).toBe('yes');
  });
});
