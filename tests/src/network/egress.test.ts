import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeOf, faultOf, json, startDaemon, type TestDaemon, waitFor } from '../harness/index.ts';
import { type Internet, makeInternet } from './internet.ts';
import { cut, talkTo } from './talk.ts';
import { type Attempt, probe, refused } from './probe.ts';

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

const isolations = ['gvisor', 'container'] as const;
const works = (isolation: (typeof isolations)[number], skip: (reason: string) => void) => {
  if (!daemon.isolations.includes(isolation))
    skip(`${isolation} does not work on this machine; see \`sandport doctor\``);
};
const allowlist = () => ({
  egress: 'allowlist',
  allow: [
    'allowed.test',
    '*.wild.test',
    'alias.test',
    'ported.test:443',
    'rebind.test',
    'long.test',
  ],
});
const patch = async (id: string, network: object) =>
  json(await daemon.api.sendJson('PATCH', `/v1/sandboxes/${id}`, { network }), 200);

test.each(isolations)('%s: only what is listed can be reached', async (isolation) => {
  works(isolation, (reason) => test.skip(reason));
  const { api } = daemon;
  const { allowed, other, inside, metadata, dns } = internet;
  const { id, network } = await api.create({ isolation, network: allowlist() });
  const neighbour = await api.create({ isolation, network: { egress: 'all' } });
  expect(network).toEqual(allowlist());
  const gateway = (await api.exec(id, 'sed s/nameserver.// /etc/resolv.conf')).stdout.trim();
  const neighbourAddress = await addressOf(neighbour.id);
  const hostPort = Number(new URL(daemon.url).port);
  const attempts: [Attempt, unknown][] = [
    // An address is closed until its name was asked for.
    [['tcp', allowed, 80], refused],
    [['tcp', 'allowed.test', 80], expect.stringMatching(`^${allowed} greets`)],
    [['tcp', allowed, 443], expect.stringMatching(`^${allowed} greets`)],
    [['udp', allowed, 9000], 'echo'],
    [['name', 'www.wild.test'], [allowed]],
    [['name', 'wild.test'], 'no such name'],
    [['tcp', 'alias.test', 8080], expect.stringMatching(`^${allowed} greets`)],
    // Names that are not listed are not even asked for; their addresses stay closed.
    [['name', 'secret.test'], 'no such name'],
    [['tcp', other, 443], refused],
    // With a port, no other.
    [['tcp', 'ported.test', 443], expect.stringMatching(`^${other} greets`)],
    [['tcp', 'ported.test', 80], refused],
    // A name that leads inside leads nowhere.
    [['name', 'rebind.test'], [allowed]],
    [['tcp', inside, 80], refused],
    [['tcp', metadata, 80], refused],
    // Another resolver; also for names that are allowed.
    [['ask', dns, 'allowed.test'], refused],
    [['ask', gateway, 'allowed.test'], 'rcode 0'],
    [['ask', gateway, 'other.test'], 'rcode 3'],
    // Longer than a datagram: over TCP.
    [['name', 'long.test'], expect.arrayContaining(['192.88.99.40'])],
    // IPv6: there is none.
    [
      ['tcp', '2001:db8::1', 80],
      expect.stringMatching(/unreachable|Address family|No route|cannot assign/i),
    ],
    // The machine, the daemon, and the neighbour.
    [['tcp', gateway, hostPort], refused],
    [['tcp', gateway, 22], refused],
    [['tcp', neighbourAddress, 80], refused],
    [['udp', neighbourAddress, 9000], refused],
  ];
  const results = await probe(
    api,
    id,
    attempts.map(([attempt]) => attempt),
  );
  expect(results.map((result, at) => [attempts[at]?.[0], result])).toEqual(attempts);
  expect(await internet.questions()).not.toContain('A secret.test');

  const events = await waitFor(async () => {
    const found = (await api.events(id)).filter(({ type }) => type === 'network_denied');
    return found.length >= 4 && found;
  });
  const payloads = events.map(({ payload }) => payload);
  // How many more were left out before it may stand beside it.
  const closed = { destination: allowed, port: 80, protocol: 'tcp' };
  expect(payloads).toContainEqual(expect.objectContaining(closed));
  expect(payloads).toContainEqual(expect.objectContaining({ name: 'wild.test', protocol: 'dns' }));

  // Everything: the public internet, and still nothing inside.
  expect(await patch(id, { egress: 'all' })).toMatchObject({ network: { egress: 'all' } });
  const all = await probe(api, id, [
    ['tcp', 'other.test', 80],
    ['tcp', inside, 80],
    ['tcp', metadata, 80],
    ['name', 'rebind.test'],
    ['tcp', neighbourAddress, 80],
  ]);
  const greeting = expect.stringMatching(`^${other} greets`);
  expect(all).toEqual([greeting, refused, refused, [allowed], refused]);

  // Nobody writes packets of his own, not even the guest's root.
  for (const kind of ['AF_PACKET, socket.SOCK_RAW', 'AF_INET, socket.SOCK_RAW, 1']) {
    const code = `import socket\ntry: socket.socket(socket.${kind}); print('yes')\nexcept OSError: print('no')`;
    await api.write(id, '/tmp/raw.py', code);
    expect(await api.asRoot(id, 'python3 /tmp/raw.py')).toBe('no\n');
  }

  // An address of a private network, when an administrator says so.
  await patch(id, { egress: 'allowlist', allow: [`${inside}:80`] });
  const opened = await probe(api, id, [
    ['tcp', inside, 80],
    ['tcp', inside, 443],
    ['tcp', other, 80],
  ]);
  expect(opened).toEqual([expect.stringMatching(`^${inside} greets`), refused, refused]);
  for (const each of [id, neighbour.id]) await api.send('DELETE', `/v1/sandboxes/${each}`);
});

test.each(isolations)('%s: a change ends connections that it does not allow', async (isolation) => {
  works(isolation, (reason) => test.skip(reason));
  const { api } = daemon;
  const { id } = await api.create({ isolation, network: { egress: 'all' } });
  const { ended } = await talkTo(api, id, internet.other);
  await patch(id, { egress: 'none' });
  expect(await ended).toMatch(cut);
  expect(await probe(api, id, [['name', 'allowed.test']])).toEqual(['no such name']);
  expect((await probe(api, id, [['tcp', internet.allowed, 80]]))[0]).toMatch(/refused|unreachable/);
  await patch(id, { egress: 'all' });
  const [again] = await probe(api, id, [['tcp', 'other.test', 80]]);
  expect(again).toMatch(`${internet.other} greets`);
  await api.send('DELETE', `/v1/sandboxes/${id}`);
});

test('a rule more ends no connection to a name that stays listed', async () => {
  const { api } = daemon;
  const before = { egress: 'allowlist', allow: ['allowed.test'] };
  const { id } = await api.create({ isolation: 'container', network: before });
  const talk = `
import os, socket, time
s = socket.create_connection(('allowed.test', 8080), 5)
s.settimeout(20)
s.recv(100)
open('/workspace/open', 'w').close()
while not os.path.exists('/workspace/changed'): time.sleep(0.05)
s.send(b'still'); print(s.recv(100).decode())`;
  await api.write(id, '/tmp/talk.py', talk);
  const talking = api.exec(id, 'python3 /tmp/talk.py');
  await waitFor(async () => codeOf(await api.statAnswer(id, '/workspace/open')) === 'ok');
  await patch(id, { egress: 'allowlist', allow: ['allowed.test', 'other.test'] });
  await api.write(id, '/workspace/changed', '');
  expect((await talking).stdout).toBe('still\n');
  await api.kill(id);
});

test('without a network there is none, and a container gets one while it runs', async () => {
  const { api } = daemon;
  const made = await api.create({ isolation: 'container' });
  expect(made.network).toEqual({ egress: 'none' });
  const { id } = made;
  expect((await api.exec(id, 'cat /proc/net/dev')).stdout).not.toContain('eth0');
  await patch(id, { egress: 'all' });
  expect(await probe(api, id, [['tcp', 'other.test', 80]])).toEqual([
    expect.stringMatching(`^${internet.other} greets`),
  ]);
  await patch(id, { egress: 'none' });
  expect(await probe(api, id, [['tcp', internet.other, 80]])).toEqual([refused]);
  await api.enter(id, 'hibernate');
  await api.wake(id);
  expect((await api.exec(id, 'cat /proc/net/dev')).stdout).not.toContain('eth0');
  await api.send('DELETE', `/v1/sandboxes/${id}`);
});

test('a gVisor sandbox without a network gets one with its next start, and says so', async (context) => {
  works('gvisor', (reason) => context.skip(reason));
  const { api } = daemon;
  const { id } = await api.create({ isolation: 'gvisor' });
  const changed = await patch(id, { egress: 'all' });
  expect(changed).toMatchObject({ network: { egress: 'all', pending: true } });
  expect((await probe(api, id, [['tcp', internet.other, 80]]))[0]).toMatch(/unreachable|No route/);
  await api.exec(id, 'sleep 1000 > /dev/null 2>&1 &');
  await api.enter(id, 'hibernate');
  expect(await api.wake(id)).toMatchObject({ memory: true, network: { egress: 'all' } });
  expect((await api.get(id)).network).toEqual({ egress: 'all' });
  expect(await probe(api, id, [['tcp', 'other.test', 80]])).toEqual([
    expect.stringMatching(`^${internet.other} greets`),
  ]);
  expect((await api.exec(id, 'pgrep -x sleep')).exit_code).toBe(0);
  await api.send('DELETE', `/v1/sandboxes/${id}`);
});

test('rules that are none are named', async () => {
  const { api } = daemon;
  for (const [network, named] of [
    [{ egress: 'allowlist', allow: ['exa mple'] }, 'exa mple'],
    [{ egress: 'allowlist', allow: ['10.0.0.1/8'] }, '10.0.0.1/8'],
    [{ egress: 'allowlist', allow: ['a.test:0'] }, 'a.test:0'],
    [{ egress: 'allowlist', allow: ['127.0.0.1'] }, '127.0.0.1'],
    [{ egress: 'allowlist' }, 'allow'],
    [{ egress: 'everything' }, 'egress'],
    [{ egress: 'all', bandwidth_mbps: -1 }, 'bandwidth_mbps'],
  ] as const) {
    const answer = await api.sendJson('POST', '/v1/sandboxes', { network });
    expect(faultOf(answer, 'invalid_request').error).toContain(named);
  }
});

test('private networks are opened by administrators only', async () => {
  const { api } = daemon;
  const key = json(
    await api.sendJson('POST', '/v1/keys', { label: 'tenant', namespaces: ['team'] }),
    201,
  );
  const headers = { Authorization: `Bearer ${(key as { api_key: string }).api_key}` };
  const network = { egress: 'allowlist', allow: ['10.0.0.0/8'] };
  const body = { namespace: 'team', network };
  const answer = await api.sendJson('POST', '/v1/sandboxes', body, { headers });
  expect(faultOf(answer, 'forbidden').error).toContain('10.0.0.0/8');
});

/** The address that a sandbox has inside. */
async function addressOf(id: string): Promise<string> {
  const find =
    'import socket; s=socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(("192.88.99.1", 9)); print(s.getsockname()[0])';
  return (await daemon.api.exec(id, `python3 -c '${find}'`)).stdout.trim();
}
