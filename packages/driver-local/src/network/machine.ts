import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { findProgram } from '@sandport/linux';
import type { NetworkOptions } from './options.ts';

/** Program → its package in Debian. */
const programs = { nft: 'nftables', ip: 'iproute2', tc: 'iproute2', nsenter: 'util-linux' };
const forwardFile = '/proc/sys/net/ipv4/ip_forward';

/** Why sandboxes cannot have networks here, as the end of a sentence; undefined when they can. */
export function networkProblem(mode: NetworkOptions['mode'] = 'auto'): string | undefined {
  if (mode === 'off') return 'its administrator has turned networks off (--network off)';
  const missing = missingPrograms();
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  if (!existsSync('/proc/sys/net')) return 'the kernel has no network';
  return undefined;
}

/** Debian packages that networks need and that are not there. */
export const missingPrograms = (): string[] => [
  ...new Set(
    Object.entries(programs)
      .filter(([program]) => findProgram(program) === undefined)
      .map(([, debianPackage]) => debianPackage),
  ),
];

/** Whether the machine passes packets on between its interfaces, which the networks need. */
export const isForwarding = (): boolean => readFileSync(forwardFile, 'utf8').trim() === '1';

/** Lets it; stays so until somebody changes it or the machine restarts. @throws Error */
export function allowForwarding(): void {
  try {
    writeFileSync(forwardFile, '1');
  } catch (error) {
    throw new Error(
      'net.ipv4.ip_forward is 0 and cannot be changed: run `sysctl -w net.ipv4.ip_forward=1`',
      { cause: error },
    );
  }
}
