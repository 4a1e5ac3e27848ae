import { maxNetworkRules, networkSchema, parseNetworkRule, ruleText } from '@sandport/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBlock, without } from './blocks.ts';
import { mapPolicy } from './map-policy.ts';
import type { EgressRule, TemplateNetworkPolicy } from './policy-types.ts';

const map = (egress: readonly EgressRule[], mayOpenPrivate = true) =>
  mapPolicy({ egress }, { mayOpenPrivate });
const to = (cidr: string, except?: readonly string[]) => ({
  to: [{ ipBlock: { cidr, ...(except && { except }) } }],
});
const upstreamDefault = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'];
const listed = (...allow: string[]) => ({ egress: 'allowlist', allow });

describe('what leaves', () => {
  it.each<[string, EgressRule[], object]>([
    ['nothing', [], { egress: 'none' }],
    ['the default of the project', [to('0.0.0.0/0', upstreamDefault)], { egress: 'all' }],
    ['a block', [to('1.2.3.0/24')], listed('1.2.3.0/24')],
    ['a block with bits behind its prefix', [to('1.2.3.4/24')], listed('1.2.3.0/24')],
    [
      'a port of a block',
      [{ ...to('1.2.3.0/24'), ports: [{ port: 443 }, { port: 53, protocol: 'UDP' }] }],
      listed('1.2.3.0/24:443/tcp', '1.2.3.0/24:53/udp'),
    ],
    [
      'a range of ports',
      [{ ...to('1.2.3.4/32'), ports: [{ port: 80, endPort: 82 }] }],
      listed('1.2.3.4/32:80/tcp', '1.2.3.4/32:81/tcp', '1.2.3.4/32:82/tcp'),
    ],
    [
      'a port anywhere',
      [{ ...to('0.0.0.0/0', upstreamDefault), ports: [{ port: 443 }] }],
      listed('*:443/tcp'),
    ],
    [
      'a block without a part',
      [to('1.2.0.0/16', ['1.2.0.0/17', '1.2.128.0/18'])],
      listed('1.2.192.0/18'),
    ],
    ['a block without all of it', [to('1.2.0.0/16', ['1.0.0.0/8'])], { egress: 'none' }],
    [
      'blocks that are larger than rules may be',
      [to('4.0.0.0/6', ['5.0.0.0/8'])],
      listed('4.0.0.0/8', '6.0.0.0/8', '7.0.0.0/8'),
    ],
    [
      'everything, and a private network',
      [to('0.0.0.0/0', upstreamDefault), to('10.1.0.0/16'), to('1.2.3.0/24')],
      { egress: 'all', allow: ['10.1.0.0/16'] },
    ],
    ['the same twice', [to('1.2.3.0/24'), to('1.2.3.0/24')], listed('1.2.3.0/24')],
  ])('%s', (_, egress, network) => {
    expect(map(egress)).toEqual({ network, notes: [], faults: [] });
  });

  it('never is this machine, or what is for groups', () => {
    expect(map([to('127.0.0.0/8'), to('224.0.0.0/8')]).network).toEqual({ egress: 'none' });
  });

  it.each<[string, EgressRule, object]>([
    ['egress[0].to[0].podSelector', { to: [{ podSelector: {} }] }, { egress: 'none' }],
    ['egress[0].to[0].namespaceSelector', { to: [{ namespaceSelector: {} }] }, { egress: 'none' }],
    ['egress[0].to[0].ipBlock.cidr', to('::/0'), { egress: 'none' }],
    ['egress[0] opens the public internet only', {}, { egress: 'all' }],
    ['egress[0].to[0].ipBlock opens the public', to('0.0.0.0/0'), { egress: 'all' }],
    ['8.8.8.0/24 is of the public', to('0.0.0.0/0', ['8.8.8.0/24']), { egress: 'none' }],
    ['egress[0].ports[0]', { ...to('1.2.3.0/24'), ports: [{ port: 'http' }] }, { egress: 'none' }],
    [
      'egress[0].ports[0]',
      { ...to('1.2.3.0/24'), ports: [{ protocol: 'UDP' }] },
      { egress: 'none' },
    ],
    [
      'the protocol SCTP',
      { ...to('1.2.3.0/24'), ports: [{ port: 1, protocol: 'SCTP' }, { port: 2 }] },
      listed('1.2.3.0/24:2/tcp'),
    ],
  ])('says that it does not all mean something: %s', (named, rule, network) => {
    const mapped = map([rule]);
    expect(mapped).toMatchObject({ network, faults: [] });
    expect(mapped.notes).toEqual([expect.stringContaining(named)]);
  });

  it.each<[string, EgressRule]>([
    ['egress[0].to[0].ipBlock.cidr', to('1.2.3.4')],
    ['egress[0].to[0].ipBlock.cidr', to('1.2.3.0/33')],
    ['egress[0].to[0].ipBlock.except', to('1.2.3.0/24', ['everything'])],
    ['egress[0].to[0].ipBlock.except', to('1.2.0.0/16', Array(101).fill('1.2.3.4/32'))],
    ['egress[0].to[0].ipBlock', to('0.0.0.0/1')],
    ['egress[0].ports[0].port', { ports: [{ port: 0 }] }],
    ['egress[0].ports[0].port', { ports: [{ port: 70_000 }] }],
    ['egress[0].ports[0].endPort', { ports: [{ port: 80, endPort: 79 }] }],
    ['egress[0].ports[0]', { ports: [{ port: 1, endPort: 65_535 }] }],
    ['egress', { to: blocks(60), ports: [{ port: 1 }, { port: 2 }] }],
    ['egress[0].to[100]', { to: blocks(101) }],
  ])('refuses %s', (field, rule) => {
    const { network, faults } = map([to('1.1.1.1/32'), rule].toReversed());
    expect(network).toEqual({ egress: 'none' });
    expect(faults.map((each) => each.field)).toEqual([field]);
  });

  it('leaves no rule out without a word, also where another one opens the internet', () => {
    const many = [to('0.0.0.0/0'), { to: blocks(60), ports: [{ port: 1 }, { port: 2 }] }];
    const { network, faults } = map([...many, to('10.1.2.3/32')]);
    expect(network).toEqual({ egress: 'none' });
    expect(faults.map((each) => each.field)).toEqual(['egress']);
  });

  it('is no private network, unless an administrator says so', () => {
    const mapped = map([to('10.0.0.0/8'), to('172.0.0.0/8')], false);
    const rules = (mapped.network.allow ?? []).map(parseNetworkRule);
    expect(rules).not.toHaveLength(0);
    for (const text of ['10.0.0.0/8', '172.16.0.0/12'])
      expect(mapped.network.allow).not.toContain(text);
    expect(map([to('10.0.0.0/8')]).network).toEqual(listed('10.0.0.0/8'));
  });
});

it('is told that nobody comes in by addresses', () => {
  const policy: TemplateNetworkPolicy = { ingress: [{}] };
  expect(mapPolicy(policy, { mayOpenPrivate: true })).toMatchObject({
    network: { egress: 'none' },
    notes: [expect.stringContaining('ingress has no effect')],
  });
});

describe('whatever comes', () => {
  const address = fc.nat(0xffffffff).map((each) => each >>> 0);
  const block = fc
    .tuple(address, fc.integer({ min: 0, max: 32 }))
    .map(
      ([each, prefix]) => `${[24, 16, 8, 0].map((by) => (each >>> by) & 255).join('.')}/${prefix}`,
    );
  const number = fc.integer({ min: -1, max: 70_000 });
  const port = fc.record(
    {
      port: fc.oneof(number, fc.string()),
      endPort: number,
      protocol: fc.constantFrom('TCP', 'UDP', 'SCTP', ''),
    },
    { requiredKeys: [] },
  );
  const peer = fc.record(
    {
      ipBlock: fc.record({ cidr: fc.oneof(block, fc.string()), except: fc.array(block) }),
      podSelector: fc.constant({}),
    },
    { requiredKeys: [] },
  );
  const rule = fc.record({ to: fc.array(peer), ports: fc.array(port) }, { requiredKeys: [] });

  it('is a network that can be', () => {
    fc.assert(
      fc.property(fc.array(rule), fc.boolean(), (egress, mayOpenPrivate) => {
        const { network } = map(egress, mayOpenPrivate);
        expect(networkSchema.safeParse(network).error).toBeUndefined();
        expect(network.allow?.length ?? 0).toBeLessThanOrEqual(maxNetworkRules);
        const texts = (network.allow ?? []).map((text) => ruleText(parseNetworkRule(text)));
        expect(new Set(texts).size).toBe(texts.length);
      }),
    );
  });

  it('leaves of a block just what is in none of the others', () => {
    fc.assert(
      fc.property(block, fc.array(block, { maxLength: 5 }), address, (text, others, each) => {
        const [whole, ...holes] = [text, ...others].map(parseBlock);
        if (whole === undefined) throw new Error(text);
        const known = holes.filter((hole) => hole !== undefined);
        const left = without(whole, known, 100_000) ?? [];
        const isIn = (one: { base: number; prefix: number }) =>
          each >= one.base && each < one.base + 2 ** (32 - one.prefix);
        expect(left.some(isIn)).toBe(isIn(whole) && !known.some(isIn));
      }),
    );
  });
});

function blocks(count: number) {
  return Array.from({ length: count }, (_, at) => ({ ipBlock: { cidr: `1.2.${at}.0/24` } }));
}
