import { execFileSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { expect, it } from 'vitest';
import { forgetConnections } from './connections.ts';
import { Links } from './links.ts';
import { createNetworkNamespace, inNetworkNamespace } from './network-namespace.ts';

const rules = `
add table inet marked
add chain inet marked out { type filter hook output priority 0; }
add rule inet marked out udp dport 1001 ct mark set 0x0501
add rule inet marked out udp dport 1002 ct mark set 0x0502
add rule inet marked out udp dport 1003 ct mark set 0x0601
`;

it('forgets the connections with a mark, and no others', () => {
  const namespace = createNetworkNamespace();
  const inside = (input: string, ...command: string[]) =>
    execFileSync('nsenter', [`--net=/proc/${process.pid}/fd/${namespace}`, ...command], {
      encoding: 'utf8',
      input,
    });
  const known = () => Number(inside('', 'cat', '/proc/sys/net/netfilter/nf_conntrack_count'));
  const forget = (mark: number, mask: number) =>
    inNetworkNamespace(namespace, () => forgetConnections(mark, mask));
  try {
    using links = new Links(namespace);
    links.setUp('lo');
    inside(rules, 'nft', '-f', '-');
    for (const port of [1001, 1002, 1003])
      inside('', 'bash', '-c', `echo word > /dev/udp/127.0.0.1/${port}`);
    expect(known()).toBe(3);
    forget(0x0501, -1);
    expect(known()).toBe(2);
    forget(0x0500, ~0xff);
    expect(known()).toBe(1);
    forget(0x0501, -1);
    expect(known()).toBe(1);
  } finally {
    closeSync(namespace);
  }
});
