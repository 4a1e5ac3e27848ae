import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { parseNetworkRule } from '@sandport/protocol';
import dnsPacket, { type Answer } from 'dns-packet';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { guestNames, networkNames } from '../names.ts';
import type { Pin } from '../ruleset.ts';
import { AnsweredNames } from './answered-names.ts';
import { Pins } from './pins.ts';
import { type Asker, Resolver } from './resolver.ts';

const guest = guestNames(networkNames('abcdef', { base: 0xc6120000, prefix: 20 }), 0);
const zone = new Map<string, Answer[]>();
let forge: ((answer: dnsPacket.Packet) => dnsPacket.Packet | Buffer) | undefined;
let asked: string[] = [];
let upstream: Socket;

beforeAll(async () => {
  upstream = createSocket('udp4', (message, from) => {
    const query = dnsPacket.decode(message);
    const name = query.questions?.[0]?.name ?? '';
    asked.push(name);
    const reply: dnsPacket.Packet = {
      type: 'response',
      id: query.id,
      questions: query.questions,
      answers: zone.get(name) ?? [],
    };
    const forged = forge === undefined ? reply : forge(reply);
    const bytes = Buffer.isBuffer(forged) ? forged : dnsPacket.encode(forged);
    upstream.send(bytes, from.port, from.address);
  });
  upstream.bind(0, '127.0.0.1');
  await once(upstream, 'listening');
});
afterAll(() => upstream.close());

const upstreamServer = () => ({ address: '127.0.0.1', port: upstream.address().port });

/** A resolver for one sandbox with these rules, and what it has opened. */
function resolverFor(
  allow: string[],
  egress: Asker['egress'] = 'allowlist',
  servers = () => [upstreamServer()],
) {
  const opened: Pin[] = [];
  const denied: string[] = [];
  const answered = new AnsweredNames();
  asked = [];
  forge = undefined;
  const resolver = new Resolver({
    servers,
    answered,
    pins: new Pins(async (pins) => void opened.push(...pins)),
    askerAt: (address) =>
      address === guest.address ? { guest, egress, rules: allow.map(parseNetworkRule) } : undefined,
    onDenied: (_, name) => denied.push(name),
  });
  const ask = async (name: string, type: dnsPacket.RecordType = 'A') => {
    const query = dnsPacket.encode({ type: 'query', id: 9, questions: [{ name, type }] });
    const reply = await resolver.answer(query, guest.address, { overTcp: true });
    return reply === undefined ? undefined : dnsPacket.decode(reply);
  };
  return { resolver, opened, denied, answered, ask };
}

const addresses = (packet: dnsPacket.DecodedPacket | undefined) =>
  (packet?.answers ?? []).flatMap((answer) => (answer.type === 'A' ? [answer.data] : []));
const record = (name: string, data: string, ttl = 60): Answer => ({ type: 'A', name, data, ttl });

test('addresses are open before the answer goes out, for as long as it is good', async () => {
  zone.set('a.test', [record('a.test', '203.0.113.5', 5), record('a.test', '203.0.113.6', 500)]);
  const { ask, opened } = resolverFor(['a.test']);
  const answer = await ask('A.Test');
  expect(addresses(answer)).toEqual(['203.0.113.5', '203.0.113.6']);
  expect(opened.map(({ address, port }) => [address, port])).toEqual([
    ['203.0.113.5', undefined],
    ['203.0.113.6', undefined],
  ]);
  for (const { seconds } of opened) expect(seconds).toBeGreaterThanOrEqual(30);
  for (const each of answer?.answers ?? [])
    expect('ttl' in each ? each.ttl : 0).toBeLessThanOrEqual(30);
});

test('a port that is open everywhere lets every name be asked for, and opens no address', async () => {
  zone.set('x.test', [record('x.test', '203.0.113.7'), record('x.test', '10.0.0.1')]);
  const { ask, opened, denied, answered } = resolverFor(['*:443']);
  expect(addresses(await ask('x.test'))).toEqual(['203.0.113.7']);
  expect([opened, denied]).toEqual([[], []]);
  expect(answered.nameOf(guest.address, '203.0.113.7')).toBe('x.test');
  expect(answered.nameOf(guest.address, '10.0.0.1')).toBeUndefined();
});

test('a name that no rule allows is not asked for', async () => {
  const { ask, opened, denied } = resolverFor(['a.test', '*.b.test']);
  for (const name of ['x.test', 'b.test', 'ab.test', 'a.test.x.test'])
    expect((await ask(name))?.flags ?? 0).toSatisfy((flags: number) => (flags & 15) === 3);
  expect([asked, opened]).toEqual([[], []]);
  expect(denied).toHaveLength(4);
});

test('addresses inside are left out, unless a rule for addresses opens them', async () => {
  const inside = [
    '10.0.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '192.168.1.1',
    '198.18.0.9',
    '0.0.0.0',
  ];
  zone.set(
    're.test',
    [...inside, '203.0.113.7'].map((data) => record('re.test', data)),
  );
  expect(addresses(await resolverFor(['re.test']).ask('re.test'))).toEqual(['203.0.113.7']);
  expect(addresses(await resolverFor([], 'all').ask('re.test'))).toEqual(['203.0.113.7']);
  const open = resolverFor(['re.test', '10.0.0.0/8']);
  expect(addresses(await open.ask('re.test'))).toEqual(['10.0.0.1', '203.0.113.7']);
});

test('there is no IPv6, and nothing that could hint at it', async () => {
  const { ask } = resolverFor(['a.test']);
  for (const type of ['AAAA', 'SVCB', 'HTTPS', 'ANY'] as dnsPacket.RecordType[])
    expect((await ask('a.test', type))?.answers ?? []).toEqual([]);
  expect(asked).toEqual([]);
});

test('answers to other questions are not believed', async () => {
  zone.set('f.test', [record('f.test', '203.0.113.8')]);
  const { ask, opened } = resolverFor(['f.test']);
  const wrong = { type: 'A', name: 'g.test' } as const;
  forge = (reply) => ({ ...reply, questions: [wrong] });
  const answer = await ask('f.test');
  expect((answer?.flags ?? 0) & 15).toBe(2);
  forge = (reply) => ({ ...reply, id: ((reply.id ?? 0) + 1) % 65_536 });
  expect(addresses(await ask('f.test'))).toEqual([]);
  expect(opened).toEqual([]);
}, 20_000);

test('a hostile answer opens a bounded number of addresses, and never in vain', async () => {
  const { ask, opened } = resolverFor(['many.test', 'loop.test', 'chain.test', 'zero.test']);
  const thousand = Array.from({ length: 1000 }, (_, at) =>
    record('many.test', `203.0.${at >> 8}.${at & 255}`, 0),
  );
  zone.set('many.test', thousand);
  const many = addresses(await ask('many.test'));
  expect(many).toHaveLength(40);
  expect(opened.map(({ address }) => address)).toEqual(many);
  // Names that lead to each other, and one that leads to itself by its own pointer.
  zone.set('chain.test', [
    ...Array.from({ length: 100 }, (_, at) => {
      return { type: 'CNAME', name: `c${at}.test`, data: `c${(at + 1) % 100}.test` } as const;
    }),
    record('c0.test', '203.0.113.9'),
  ]);
  expect(addresses(await ask('chain.test'))).toEqual([]);
  zone.set('loop.test', []);
  forge = (reply) => {
    const bytes = dnsPacket.encode(reply);
    bytes.writeUInt16BE(1, 6);
    return Buffer.concat([bytes, Buffer.from([0xc0, bytes.length, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0])]);
  };
  expect(((await ask('loop.test'))?.flags ?? 0) & 15).toBe(2);
  forge = undefined;
  // Good for no time at all: it is asked for each time, and open for long enough to be used.
  opened.length = 0;
  zone.set('zero.test', [record('zero.test', '203.0.113.10', 0)]);
  for (let time = 0; time < 2; time++) await ask('zero.test');
  expect(asked.filter((name) => name === 'zero.test')).toHaveLength(2);
  expect(opened).toMatchObject([{ address: '203.0.113.10', seconds: expect.any(Number) }]);
  expect(opened[0]?.seconds).toBeGreaterThanOrEqual(30);
}, 20_000);

test('resolvers that no way leads to are passed over', async () => {
  zone.set('way.test', [record('way.test', '203.0.113.11')]);
  const nowhere = { address: '255.255.255.255', port: 53 };
  const without = resolverFor(['way.test'], 'allowlist', () => [nowhere]);
  expect(((await without.ask('way.test'))?.flags ?? 0) & 15).toBe(2);
  const other = resolverFor(['way.test'], 'allowlist', () => [nowhere, upstreamServer()]);
  expect(addresses(await other.ask('way.test'))).toEqual(['203.0.113.11']);
});

test('strangers and noise get no answer, and nothing breaks', async () => {
  const { resolver, ask } = resolverFor(['a.test']);
  const query = dnsPacket.encode({ type: 'query', questions: [{ name: 'a.test', type: 'A' }] });
  expect(await resolver.answer(query, '198.18.0.77', { overTcp: false })).toBeUndefined();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const noise = Buffer.from(bytes);
      await resolver.answer(noise, guest.address, { overTcp: false });
      const mutated = Buffer.concat([query.subarray(0, 12), noise]);
      await resolver.answer(mutated, guest.address, { overTcp: false });
    }),
    { numRuns: 300 },
  );
  forge = () => Buffer.from('0001020304', 'hex');
  zone.set('n.test', []);
  const noisy = resolverFor(['n.test']);
  forge = () => Buffer.alloc(20, 0xff);
  expect(((await noisy.ask('n.test'))?.flags ?? 0) & 15).toBe(2);
  forge = undefined;
  expect(addresses(await ask('a.test')).length).toBeGreaterThan(0);
}, 20_000);
