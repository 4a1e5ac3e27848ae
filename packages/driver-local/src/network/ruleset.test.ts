import { execFileSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { createNetworkNamespace } from '@sandport/linux';
import type { Network } from '@sandport/protocol';
import { expect, test } from 'vitest';
import { defaultRange } from './base.ts';
import { guestNames, networkNames } from './names.ts';
import { baseRules, guestRules, pinned, removedGuest } from './ruleset.ts';

const names = networkNames('0123456789ab', { base: 0xc6123000, prefix: 20 });
const guest = guestNames(names, 10);

test('names fit into what the kernel allows', () => {
  const last = guestNames(networkNames('ffffffffffff', defaultRange), 0x1ffff);
  expect(last.interface.length).toBeLessThan(16);
  expect(guest).toMatchObject({ address: '198.18.48.12', interface: 'sp012345-a' });
});

test('the kernel takes all commands, again and again, and gives everything back', () => {
  const namespace = createNetworkNamespace();
  const nft = (script: string, ...args: string[]) =>
    execFileSync('nsenter', [`--net=/proc/${process.pid}/fd/${namespace}`, 'nft', ...args], {
      input: script,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  const run = (script: string) => nft(script, '-f', '-');
  const list = () => nft('', 'list', 'ruleset');
  const resolver = { udpPort: 5300, tcpPort: 5301 };
  const options = { names, range: defaultRange, guest };
  try {
    run(baseRules({ names, range: defaultRange, resolver, logGroup: 77 }));
    const base = list();
    const networks: Network[] = [
      { egress: 'none' },
      { egress: 'all', allow: ['10.1.0.0/16', '10.2.3.4'] },
      {
        egress: 'allowlist',
        allow: ['a.test', '*.b.test:443', '192.168.0.0/16:22', '*:443', '*:53/udp'],
      },
    ];
    for (const network of networks)
      run(guestRules({ ...options, network, mark: 5, keepPinned: false }));
    const pin = { guest, address: '203.0.113.9', seconds: 60 };
    for (let time = 0; time < 2; time++) run(pinned(names, [pin, { ...pin, port: 443 }]));
    const rules = list();
    expect(rules).toContain('203.0.113.9 timeout 1m');
    expect(rules).toContain('203.0.113.9 . 443 timeout 1m');
    expect(rules).toContain('ip daddr 192.168.0.0/16 meta l4proto { tcp, udp } th dport 22');
    // A port of all addresses is none of closed ones.
    expect(rules).toMatch(
      /@closed goto refuse\s+meta l4proto \{ tcp, udp \} th dport 443 ct mark set/,
    );
    expect(rules).toContain('udp dport 53 ct mark set');
    // Another daemon takes the table over: what is open stays open.
    run(baseRules({ names, range: defaultRange, resolver, logGroup: 78 }));
    const network: Network = { egress: 'allowlist', allow: ['a.test'] };
    run(guestRules({ ...options, network, mark: 5, keepPinned: true }));
    expect(list()).toContain('203.0.113.9 timeout 1m');
    run(guestRules({ ...options, network, mark: 6, keepPinned: false }));
    expect(list()).not.toContain('203.0.113.9');
    run(removedGuest(names, guest));
    expect(list()).toBe(base.replaceAll('group 77', 'group 78'));
  } finally {
    closeSync(namespace);
  }
});
