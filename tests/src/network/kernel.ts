import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';

/** What a daemon's networks have in the kernel. */
export interface KernelState {
  readonly interfaces: readonly string[];
  /** Sandboxes with rules; undefined without a table. */
  readonly guests: readonly string[] | undefined;
  /** Whether its gateway's address is there. */
  readonly gateway: boolean;
}

/** @param dataDir of the daemon */
export function kernelState(dataDir: string): KernelState {
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  const interfaces = readdirSync('/sys/class/net').filter((name) =>
    name.startsWith(`sp${hash.slice(0, 6)}-`),
  );
  return {
    interfaces: interfaces.toSorted(),
    guests: guestsOf(`sandport_${hash}`),
    gateway: (networkInterfaces()['lo'] ?? []).some(
      ({ address }) => address === gatewayOf(dataDir),
    ),
  };
}

/** The gateway of a daemon that has had a sandbox with a network. */
export function gatewayOf(dataDir: string): string | undefined {
  try {
    const [network = ''] = readFileSync(join(dataDir, 'network'), 'utf8').split('/');
    return network.replace(/\d+$/, (last) => `${Number(last) + 1}`);
  } catch {
    return undefined;
  }
}

function guestsOf(table: string): string[] | undefined {
  if (!execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' }).includes(table))
    return undefined;
  const chains = execFileSync('nft', ['list', 'table', 'inet', table], { encoding: 'utf8' });
  return [...chains.matchAll(/chain guest_(\w+)/g)].map(([, tag = '']) => tag).toSorted();
}
