import { uptime } from 'node:os';
import type { SandboxUsage, UsageOptions } from '@sandport/driver';
import { isAlive, readCgroupUsage } from '@sandport/linux';
import type { DriverContext } from '../context.ts';
import type { HeldSandbox } from './held-sandbox.ts';

interface DiskCount {
  readonly bytes: number;
  /** On the clock of `performance.now`. */
  readonly atMs: number;
}

const counts = new WeakMap<HeldSandbox, DiskCount>();
const defaultDiskAgeMs = 5_000;

const withoutProcesses = {
  uptimeSeconds: 0,
  cpuSeconds: 0,
  memoryBytes: 0,
  pids: 0,
};

/** What a sandbox uses, as its control group and its disk tell. It has no network to count. */
export async function usageOf(
  context: DriverContext,
  held: HeldSandbox,
  { diskAgeMs = defaultDiskAgeMs }: UsageOptions = {},
): Promise<SandboxUsage> {
  const processes = await processesOf(held);
  const diskBytes = await diskBytesOf(context, held, diskAgeMs);
  return { ...processes, diskBytes, networkReceivedBytes: 0, networkSentBytes: 0 };
}

async function processesOf({ live, record, layout }: HeldSandbox) {
  const { process: first } = record;
  if (live === undefined || first === undefined || !isAlive(first.pid, first.startTime))
    return withoutProcesses;
  const { cpuSeconds, memoryBytes, memoryPeakBytes, tasks } = await readCgroupUsage(layout.cgroup);
  return {
    pid: first.pid,
    uptimeSeconds: Math.max(uptime() - first.startTime / ticksPerSecond, 0),
    cpuSeconds,
    memoryBytes,
    ...(memoryPeakBytes === undefined ? {} : { memoryPeakBytes }),
    pids: tasks,
  };
}

/** The unit of start times, the same on every Linux. */
const ticksPerSecond = 100;

async function diskBytesOf(
  { disks }: DriverContext,
  held: HeldSandbox,
  ageMs: number,
): Promise<number> {
  const known = counts.get(held);
  if (known !== undefined && performance.now() - known.atMs <= ageMs) return known.bytes;
  const { usedBytes: bytes } = await disks.usage(held.layout);
  counts.set(held, { bytes, atMs: performance.now() });
  return bytes;
}
