import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import {
  formatNetwork,
  type Ipv4Network,
  isWithin,
  parseIpv4,
  parseNetwork,
  sizeOf,
} from '@sandport/protocol';
import { firstGuest, interfacePrefixOf } from './names.ts';

/** A daemon takes a /20 of the range: 4093 sandboxes. */
const blockPrefix = 20;

export interface TakeBlockOptions {
  readonly range: Ipv4Network;
  /** Of the data directory, in hex. */
  readonly hash: string;
  /** Remembers the block across restarts. */
  readonly file: string;
}

/** Addresses that nobody else on this machine uses while it is held. */
export interface HeldBlock extends Disposable {
  readonly block: Ipv4Network;
}

/** @throws Error when no part of the range is free */
export async function takeBlock({ range, hash, file }: TakeBlockOptions): Promise<HeldBlock> {
  const prefix = Math.max(range.prefix, blockPrefix);
  const size = sizeOf({ base: 0, prefix });
  const count = sizeOf(range) / size;
  const start = Number.parseInt(hash.slice(0, 8), 16) % count;
  const mine = rememberedBlock(file);
  const candidates = Array.from({ length: count }, (_, step): Ipv4Network => {
    return { base: range.base + ((start + step) % count) * size, prefix };
  });
  const own = candidates.find((each) => each.base === mine?.base && each.prefix === mine.prefix);
  for (const block of own === undefined ? candidates : [own, ...candidates]) {
    if (isUsedByOthers(block, hash, block === own)) continue;
    const lock = await tryLock(`\0sandport-network-${formatNetwork(block)}`);
    if (lock === undefined) continue;
    if (block !== own) writeFileSync(file, formatNetwork(block), { mode: 0o600 });
    return { block, [Symbol.dispose]: () => void lock.close() };
  }
  throw new Error(
    `no part of ${formatNetwork(range)} is free for sandboxes: choose another --network-range`,
  );
}

/** How many sandboxes can have an address of it; the last one is left out. */
export const guestsOf = (block: Ipv4Network): number => sizeOf(block) - firstGuest - 1;

function rememberedBlock(file: string): Ipv4Network | undefined {
  try {
    return parseNetwork(readFileSync(file, 'utf8').trim());
  } catch {
    return undefined;
  }
}

/** An interface has an address of it that we have not given it. */
function isUsedByOthers(block: Ipv4Network, hash: string, isOwn: boolean): boolean {
  const gateway = block.base + 1;
  for (const [name, addresses = []] of Object.entries(networkInterfaces()))
    for (const { address, family } of addresses) {
      const number = family === 'IPv4' ? parseIpv4(address) : undefined;
      if (number === undefined || !isWithin(number, block)) continue;
      const ours = name.startsWith(interfacePrefixOf(hash)) || (isOwn && number === gateway);
      if (!ours) return true;
    }
  return false;
}

/** The kernel frees the name when the process ends, however it ends. */
function tryLock(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(name, () => resolve(server.unref()));
  });
}
