import { closeSync, readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createNetworkNamespace } from './network-namespace.ts';
import { PacketLog } from './packet-log.ts';

const ours = () => readlinkSync('/proc/thread-self/ns/net');

describe('network namespaces', () => {
  it('makes new ones and stays where it was', () => {
    const before = ours();
    const descriptors = [createNetworkNamespace(), createNetworkNamespace()];
    const names = descriptors.map((fd) => readlinkSync(`/proc/self/fd/${fd}`));
    for (const fd of descriptors) closeSync(fd);
    expect(new Set([before, ...names]).size).toBe(3);
    expect(ours()).toBe(before);
  });
});

describe('the log of packets', () => {
  it('has one reader a group', () => {
    const group = 40_000 + (process.pid % 20_000);
    using log = new PacketLog(group);
    expect(log.read()).toEqual([]);
    expect(() => new PacketLog(group)).toThrow(/open a log of packets.*EPERM/);
  });
});
