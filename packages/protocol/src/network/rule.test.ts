import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatNetwork, isPublicAddress, parseIpv4, parseNetwork } from './ipv4.ts';
import { networkSchema } from './network.ts';
import {
  isForName,
  NetworkRuleError,
  opensClosedNetworks,
  parseNetworkRule,
  ruleText,
} from './rule.ts';

describe('rules', () => {
  it.each([
    ['example.com', { kind: 'name', name: 'example.com', below: false, port: undefined }],
    ['*.Example.com.', { kind: 'name', name: 'example.com', below: true, port: undefined }],
    ['host:443', { kind: 'name', name: 'host', below: false, port: 443 }],
    [
      '10.1.2.0/24',
      { kind: 'addresses', network: { base: 0x0a010200, prefix: 24 }, port: undefined },
    ],
    ['*:443', { kind: 'port', port: 443 }],
    ['*:53/udp', { kind: 'port', port: 53, protocol: 'udp' }],
    [
      '1.2.3.4:80/tcp',
      {
        kind: 'addresses',
        network: { base: 0x01020304, prefix: 32 },
        port: 80,
        protocol: 'tcp',
      },
    ],
    ['1.2.3.4:80', { kind: 'addresses', network: { base: 0x01020304, prefix: 32 }, port: 80 }],
  ])('reads %s', (text, rule) => {
    expect(parseNetworkRule(text)).toEqual(rule);
  });

  it.each([
    ['', 'neither a host name'],
    ['*', '"*"'],
    ['*:', 'port'],
    ['*:/tcp', 'port'],
    ['*:80/sctp', 'port'],
    ['1.2.3.4/tcp', 'neither'],
    ['a.test:80/tcp', 'one protocol'],
    ['*:0', 'port'],
    ['*:70000', 'port'],
    ['*.com', 'top-level'],
    ['a.*.com', '"*"'],
    ['exa mple.com', 'neither'],
    ['-a.com', 'neither'],
    ['münchen.de', 'xn--'],
    ['http://example.com', 'port'],
    ['example.com:0', 'port'],
    ['example.com:70000', 'port'],
    ['example.com:443:1', 'more than one'],
    ['1.2.3', 'no IPv4'],
    ['1.2.3.04', 'no IPv4'],
    ['1.2.3.256', 'no IPv4'],
    ['10.1.2.3/24', 'first address'],
    ['10.0.0.0/33', 'no IPv4'],
    ['0.0.0.0/0', '/8'],
    ['127.0.0.1', 'no sandbox'],
    ['224.0.0.1', 'no sandbox'],
    ['2001:db8::1', 'IPv6'],
    ['[::1]:80', 'IPv6'],
    [`${'a'.repeat(64)}.com`, 'neither'],
  ])('refuses %s', (text, why) => {
    expect(() => parseNetworkRule(text)).toThrow(NetworkRuleError);
    expect(() => parseNetworkRule(text)).toThrow(why);
  });

  it('knows what is closed', () => {
    expect(opensClosedNetworks(parseNetworkRule('169.254.169.254'))).toBe(true);
    expect(opensClosedNetworks(parseNetworkRule('192.0.0.0/8'))).toBe(true);
    expect(opensClosedNetworks(parseNetworkRule('1.1.1.1'))).toBe(false);
    expect(isPublicAddress(parseIpv4('100.64.0.1') ?? 0)).toBe(false);
    expect(isPublicAddress(parseIpv4('8.8.8.8') ?? 0)).toBe(true);
  });

  it.each(['a.test', '*.a.test:1', '1.2.3.0/24', '1.2.3.4/32:80/tcp', '*:53/udp', '*:443'])(
    'writes %s as it reads it',
    (text) => {
      expect(ruleText(parseNetworkRule(text))).toBe(text);
    },
  );

  it('matches names by whole labels', () => {
    const rule = parseNetworkRule('*.example.com');
    expect(isForName(rule, 'a.b.example.com')).toBe(true);
    expect(isForName(rule, 'example.com')).toBe(false);
    expect(isForName(rule, 'badexample.com')).toBe(false);
  });

  it('throws nothing else, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        try {
          parseNetworkRule(text);
        } catch (error) {
          expect(error).toBeInstanceOf(NetworkRuleError);
        }
      }),
    );
  });

  it('reads back the networks that it writes', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.integer({ min: 0, max: 32 }), (address, prefix) => {
        const size = 2 ** (32 - prefix);
        const network = { base: address - (address % size), prefix };
        expect(parseNetwork(formatNetwork(network))).toEqual(network);
      }),
    );
  });
});

describe('networks', () => {
  it.each([
    { egress: 'none', allow: ['example.com'] },
    { egress: 'allowlist' },
    { egress: 'all', allow: ['example.com'] },
    { egress: 'all', allow: ['*:443'] },
    { egress: 'none', bandwidth_mbps: 1 },
    { egress: 'some' },
    { egress: 'all', bandwidth_mbps: 0 },
  ])('refuses %j', (network) => {
    expect(networkSchema.safeParse(network).success).toBe(false);
  });

  it.each([
    [['a.test', 'A.Test.'], '"A.Test."'],
    [['1.2.3.4', '1.2.3.4/32'], '"1.2.3.4/32"'],
    [['*:443', 'a.test', '*:443'], '"*:443"'],
  ])('names the rule of %j that is there twice', (allow, named) => {
    const { error } = networkSchema.safeParse({ egress: 'allowlist', allow });
    expect(error?.issues[0]?.message).toContain(`the rule ${named} is there already`);
  });

  it('takes so many rules, and no more', () => {
    const allow = Array.from({ length: 101 }, (_, at) => `host-${at}.test`);
    expect(networkSchema.safeParse({ egress: 'allowlist', allow }).success).toBe(false);
    const { success } = networkSchema.safeParse({ egress: 'allowlist', allow: allow.slice(1) });
    expect(success).toBe(true);
  });

  it('takes names and addresses', () => {
    const network = { egress: 'allowlist', allow: ['example.com', '10.0.0.0/8'] };
    expect(networkSchema.parse(network)).toEqual(network);
  });
});
