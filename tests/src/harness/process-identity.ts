import { readFileSync } from 'node:fs';
import { waitFor } from './wait-for.ts';

/** A process for good: pids are reused, start times of one pid never are. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot, as /proc shows them. */
  readonly startTime: string;
}

/** Undefined when there is no such process, or only its zombie. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may hold anything, so fields are counted from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const startTime = fields[19];
    return fields[0] === 'Z' || startTime === undefined ? undefined : { pid, startTime };
  } catch {
    return undefined;
  }
}

export const isAlive = (identity: ProcessIdentity): boolean =>
  identityOf(identity.pid)?.startTime === identity.startTime;

/** Sends the signal only while the pid still belongs to that process. */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, name);
  } catch {
    return false;
  }
}

/** Resolves with the milliseconds it took to end. */
export async function whenEnded(identity: ProcessIdentity, timeoutMs: number): Promise<number> {
  const startedAt = performance.now();
  await waitFor(() => !isAlive(identity), {
    timeoutMs,
    what: `the end of process ${identity.pid}`,
  });
  return performance.now() - startedAt;
}
