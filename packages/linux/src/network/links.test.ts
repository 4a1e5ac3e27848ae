import { execFileSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Links } from './links.ts';
import { createNetworkNamespace } from './network-namespace.ts';

const gateway = '198.18.0.1';
const address = '198.18.0.2';

it('joins two namespaces, and names what the kernel refuses', () => {
  const [here, there] = [createNetworkNamespace(), createNetworkNamespace()];
  const ip = (namespace: number, ...args: string[]) =>
    execFileSync('nsenter', [`--net=/proc/${process.pid}/fd/${namespace}`, 'ip', ...args], {
      encoding: 'utf8',
    });
  try {
    using host = new Links(here);
    using guest = new Links(there);
    host.addPair('pair0', { name: 'eth0', namespace: there });
    expect(() => host.addPair('pair0', { name: 'eth1', namespace: there })).toThrow(
      'add interface pair0: EEXIST',
    );
    for (const [links, name] of [
      [host, 'pair0'],
      [guest, 'eth0'],
    ] as const) {
      links.withoutIpv6(name);
      links.addAddress(name, links === host ? gateway : address);
      links.setUp(name);
    }
    guest.setUp('lo');
    // A second time changes nothing.
    for (let time = 0; time < 2; time++) {
      host.setRoute({ device: 'pair0', to: address, source: gateway });
      guest.setRoute({ device: 'eth0', to: gateway });
      guest.setRoute({ device: 'eth0', via: gateway });
    }
    expect(ip(here, 'route').trim()).toBe('198.18.0.2 dev pair0 scope link src 198.18.0.1');
    expect(
      ip(there, 'route')
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual(['default via 198.18.0.1 dev eth0', '198.18.0.1 dev eth0 scope link', '']);
    expect(ip(there, '-6', 'addr', 'show', 'dev', 'eth0')).toBe('');
    expect(ip(there, '-o', 'addr')).toMatch(
      /lo\s+inet 127\.0\.0\.1.*eth0\s+inet 198\.18\.0\.2\/32/s,
    );
    expect(() => guest.setUp('none')).toThrow('change interface none: ENODEV');
    expect(() => guest.addAddress('none', address)).toThrow('find interface none: ENODEV');
    expect(() => guest.addAddress('eth0', '1.2.3')).toThrow('"1.2.3" is no IPv4 address');
  } finally {
    closeSync(here);
    closeSync(there);
  }
});
