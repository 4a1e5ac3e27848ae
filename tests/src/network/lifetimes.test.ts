import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeOf, json, startDaemon, type TestDaemon, waitFor } from '../harness/index.ts';
import { type Internet, makeInternet } from './internet.ts';
import { kernelState } from './kernel.ts';
import { probe, refused } from './probe.ts';

let internet: Internet;
let daemon: TestDaemon;
beforeAll(async () => {
  internet = await makeInternet();
  daemon = await startDaemon({ args: ['--network-dns', internet.dns] });
});
afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await internet?.[Symbol.asyncDispose]();
});

const network = { egress: 'allowlist', allow: ['allowed.test', 'other.test:8080'] };
const make = (isolation: string, fields: object = {}) =>
  daemon.api.create({ isolation, network, ...fields });
const greeting = () => expect.stringMatching(`^${internet.allowed} greets`);

/** Sends a word ten times a second, and counts the answers in a file. */
const talker = (host: string, port: number) => `
import os, socket, time
s = socket.create_connection(('${host}', ${port}), 5)
s.settimeout(20)
s.recv(100)
count = 0
while True:
    s.send(b'tick'); s.recv(100); count += 1
    open('/workspace/next', 'w').write(str(count)); os.rename('/workspace/next', '/workspace/count')
    time.sleep(0.1)
`;

test('no sandbox has asked for a network: nothing of it is there', async () => {
  const { id } = await daemon.api.create({});
  expect(kernelState(daemon.dataDir)).toEqual({
    interfaces: [],
    guests: undefined,
    gateway: false,
  });
  await daemon.api.kill(id);
});

test.each(['gvisor', 'container'])(
  '%s: a sleep keeps the address and the rules',
  async (isolation) => {
    if (!daemon.isolations.some((each) => each === isolation))
      test.skip(`${isolation} does not work on this machine; see \`sandport doctor\``);
    const { api } = daemon;
    const { id } = await make(isolation);
    const address = await addressOf(id);
    expect(await probe(api, id, [['tcp', 'allowed.test', 80]])).toEqual([greeting()]);
    await api.enter(id, 'hibernate');
    await waitFor(() => kernelState(daemon.dataDir).interfaces.length === 0);
    await api.wake(id);
    expect(await addressOf(id)).toBe(address);
    expect(await probe(api, id, [['tcp', internet.other, 80]])).toEqual([refused]);
    expect(await probe(api, id, [['tcp', 'allowed.test', 80]])).toEqual([greeting()]);
    await api.kill(id);
  },
);

test('gVisor cannot write down open connections: it says that it woke without memory', async (context) => {
  if (!daemon.isolations.includes('gvisor'))
    context.skip('gvisor does not work on this machine; see `sandport doctor`');
  const { api } = daemon;
  const { id } = await make('gvisor');
  await api.write(id, '/tmp/talk.py', talker('allowed.test', 80));
  await api.exec(id, 'python3 /tmp/talk.py > /dev/null 2>&1 &');
  await waitFor(async () => codeOf(await api.open(id, '/workspace/count')) === 'ok');
  const copied = await api.sendJson('POST', `/v1/sandboxes/${id}/fork`, { memory: true });
  expect(codeOf(copied)).toBe('memory_unavailable');
  expect(await api.enter(id, 'hibernate')).toMatchObject({ memory: false });
  const woken = await api.wake(id);
  expect(woken).toMatchObject({ memory: false });
  expect((await api.get(id)).status_reason).toContain('memory could not be written');
  expect(await probe(api, id, [['tcp', 'allowed.test', 80]])).toEqual([greeting()]);
  await api.kill(id);
});

test.each(['gvisor', 'container'])(
  '%s: forks and copies out of a snapshot have the rules, and addresses and connections of their own',
  async (isolation) => {
    if (!daemon.isolations.some((each) => each === isolation))
      test.skip(`${isolation} does not work on this machine; see \`sandport doctor\``);
    const { api } = daemon;
    const { id } = await make(isolation);
    await api.write(id, '/tmp/talk.py', talker('allowed.test', 8080));
    await api.exec(id, 'python3 /tmp/talk.py > /dev/null 2>&1 &');
    await waitFor(async () => codeOf(await api.open(id, '/workspace/count')) === 'ok');
    const fork = await api.sendJson('POST', `/v1/sandboxes/${id}/fork`, { count: 2 });
    const { children } = json(fork, 201) as { children: string[] };
    const snapshot = json(await api.sendJson('POST', `/v1/sandboxes/${id}/snapshots`, {}), 201);
    const { id: from_snapshot } = snapshot as { id: string };
    const copy = await api.create({ from_snapshot });
    const copies = [...children, copy.id];
    const addresses = await Promise.all([id, ...copies].map(addressOf));
    expect(new Set(addresses).size).toBe(4);
    for (const each of copies) {
      expect((await api.get(each)).network).toEqual(network);
      const found = await probe(api, each, [
        ['tcp', internet.allowed, 80],
        ['tcp', 'allowed.test', 80],
        ['tcp', internet.other, 80],
      ]);
      // What was open for the parent is not open for them.
      expect([isolation, ...found]).toEqual([isolation, refused, greeting(), refused]);
      expect((await api.exec(each, 'pgrep -x python3')).exit_code).toBe(1);
    }
    // The parent's goes on.
    const now = (await api.read(id, '/workspace/count')).toString();
    await waitFor(async () => (await api.read(id, '/workspace/count')).toString() !== now);
    await Promise.all([id, ...copies].map((each) => api.kill(each)));
    await api.send('DELETE', `/v1/snapshots/${from_snapshot}`);
  },
);

test('forks of a gVisor sandbox that sleeps have its memory, and addresses of their own', async (context) => {
  if (!daemon.isolations.includes('gvisor'))
    context.skip('gvisor does not work on this machine; see `sandport doctor`');
  const { api } = daemon;
  const { id } = await make('gvisor');
  await api.exec(id, 'sleep 1000 > /dev/null 2>&1 &');
  expect(await api.enter(id, 'hibernate')).toMatchObject({ memory: true });
  const fork = await api.sendJson('POST', `/v1/sandboxes/${id}/fork`, { memory: true });
  const { children } = json(fork, 201) as { children: string[] };
  await api.wake(id);
  const both = [id, ...children];
  expect(new Set(await Promise.all(both.map(addressOf))).size).toBe(2);
  for (const each of both) {
    expect((await api.exec(each, 'pgrep -x sleep')).exit_code).toBe(0);
    expect(await probe(api, each, [['tcp', 'allowed.test', 80]])).toEqual([greeting()]);
  }
  await Promise.all(both.map((each) => api.kill(each)));
});

test('while the daemon is away, rules and connections stay; names come back with it', async () => {
  const made = await Promise.all(daemon.isolations.map((isolation) => make(isolation)));
  const counted = async (id: string) =>
    Number((await daemon.api.read(id, '/workspace/count')).toString());
  for (const { id } of made) {
    await daemon.api.write(id, '/tmp/talk.py', talker('other.test', 8080));
    await daemon.api.exec(id, 'python3 /tmp/talk.py > /dev/null 2>&1 &');
    await waitFor(async () => codeOf(await daemon.api.open(id, '/workspace/count')) === 'ok');
  }
  const before = kernelState(daemon.dataDir);
  expect(before.interfaces).toHaveLength(made.length);
  await daemon.kill9();
  expect(kernelState(daemon.dataDir)).toEqual(before);
  await sleep(500);
  await daemon.restart();
  expect(kernelState(daemon.dataDir)).toEqual(before);
  for (const { id } of made) {
    const now = await counted(id);
    await waitFor(async () => (await counted(id)) > now + 5, { timeoutMs: 20_000 });
    // The address that is in use is still open to a new connection, and no other.
    expect(
      await probe(daemon.api, id, [
        ['tcp', internet.other, 80],
        ['tcp', 'allowed.test', 80],
      ]),
    ).toEqual([refused, greeting()]);
    expect((await daemon.api.exec(id, 'pgrep -x python3')).exit_code).toBe(0);
    await daemon.api.kill(id);
  }
});

test('a daemon that is killed while it makes sandboxes leaves nothing of them', async () => {
  for (const delayMs of [30, 110, 200]) {
    const creating = daemon.isolations.flatMap((isolation) =>
      [0, 1].map(() => make(isolation).catch(() => undefined)),
    );
    await sleep(delayMs);
    await daemon.kill9();
    await Promise.all(creating);
    await daemon.restart();
    const sandboxes = await daemon.api.list('?limit=100');
    const networked = sandboxes.filter(({ status }) => status === 'running').length;
    await waitFor(() => kernelState(daemon.dataDir).interfaces.length === networked, {
      what: 'the end of interfaces of nobody',
    });
    expect(kernelState(daemon.dataDir).guests ?? []).toHaveLength(networked);
    for (const { id, isolation } of sandboxes)
      expect([isolation, ...(await probe(daemon.api, id, [['tcp', 'allowed.test', 80]]))]).toEqual([
        isolation,
        greeting(),
      ]);
  }
  await daemon.killSandboxes();
  await daemon.stop();
  expect(kernelState(daemon.dataDir)).toEqual({
    interfaces: [],
    guests: undefined,
    gateway: false,
  });
  await daemon.restart();
}, 180_000);

test('a limit of bandwidth holds in both directions', async () => {
  const { api } = daemon;
  const mbps = 8;
  for (const isolation of daemon.isolations) {
    const { id } = await make(isolation, { network: { egress: 'all', bandwidth_mbps: mbps } });
    for (const direction of ['down', 'up']) {
      const code = `
import socket, time
s = socket.create_connection(('${internet.allowed}', 8080), 5)
s.recv(100)
begun = time.time(); moved = 0
${direction === 'down' ? "s.send(b'send')" : ''}
while time.time() - begun < 1:
    ${direction === 'down' ? 'moved += len(s.recv(65536))' : 'moved += s.send(bytes(65536))'}
print(moved * 8 / (time.time() - begun) / 1e6)`;
      await api.write(id, '/tmp/move.py', code);
      const { stdout } = await api.exec(id, 'python3 /tmp/move.py');
      expect(Number(stdout)).toBeGreaterThan(0);
      // What waits in buffers counts as sent.
      expect([isolation, direction, Number(stdout) < mbps * 4]).toEqual([
        isolation,
        direction,
        true,
      ]);
    }
    await api.kill(id);
  }
});

test('one with as many connections as it can get leaves the others alone', async () => {
  const { api } = daemon;
  const greedy = await make('container', { network: { egress: 'all' } });
  const other = await make('container', { network: { egress: 'all' } });
  const code = `
import resource, socket
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
kept = []; refused = 0
for n in range(10000):
    try: kept.append(socket.create_connection(('${internet.allowed}', 8080), 5))
    except OSError: refused += 1
    if refused > 20: break
print(len(kept), refused, flush=True)
import time; time.sleep(60)`;
  await api.write(greedy.id, '/tmp/greedy.py', code);
  await api.exec(greedy.id, 'python3 /tmp/greedy.py > /workspace/opened 2>&1 &');
  const opened = await waitFor(
    async () => {
      const text = (await api.read(greedy.id, '/workspace/opened')).toString();
      return text.includes('\n') && text;
    },
    { timeoutMs: 30_000 },
  );
  expect(Number(opened.split(' ')[0])).toBeLessThanOrEqual(4096);
  expect(await probe(api, other.id, [['tcp', internet.allowed, 80]])).toEqual([greeting()]);
  await Promise.all([greedy, other].map(({ id }) => api.kill(id)));
});

async function addressOf(id: string): Promise<string> {
  const find =
    'import socket; s=socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(("192.88.99.1", 9)); print(s.getsockname()[0])';
  return (await daemon.api.exec(id, `python3 -c '${find}'`)).stdout.trim();
}
