import { uptime } from 'node:os';
import type { SandboxUsage, UsageOptions } from '@sandport/driver';
import { isAlive, readCgroupUsage } from '@sandport/linux';
import type { DriverContext } from '../context.ts';
import type { HeldSandbox } from './held-sandbox.ts';
import type { LiveSandbox } from './live-sandbox.ts';

const defaultCountAgeMs = 5_000;
/** Longest wait for an init that is asked for its processes. */
const pingTimeoutMs = 500;
/** The unit of start times, the same on every Linux. */
const ticksPerSecond = 100;

/** What a sandbox uses, as its control group and its disk tell. */
export async function usageOf(
  context: DriverContext,
  held: HeldSandbox,
  { countAgeMs = defaultCountAgeMs }: UsageOptions = {},
): Promise<SandboxUsage> {
  const processes = await processesOf(held, countAgeMs);
  const diskBytes = await kept(diskCounts, held, countAgeMs, async () => {
    return (await context.disks.usage(held.layout)).usedBytes;
  });
  const traffic = await context.network.traffic(held);
  return {
    ...processes,
    diskBytes,
    networkReceivedBytes: traffic?.receivedBytes ?? 0,
    networkSentBytes: traffic?.sentBytes ?? 0,
  };
}

type ProcessUsage = Omit<SandboxUsage, 'diskBytes' | 'networkReceivedBytes' | 'networkSentBytes'>;

async function processesOf(held: HeldSandbox, countAgeMs: number): Promise<ProcessUsage> {
  const { live, record, layout } = held;
  const { process: first } = record;
  if (live === undefined || first === undefined || !isAlive(first.pid, first.startTime))
    return { uptimeSeconds: 0, cpuSeconds: 0, memoryBytes: 0, pids: 0 };
  const { cpuSeconds, memoryBytes, memoryPeakBytes, tasks } = await readCgroupUsage(layout.cgroup);
  return {
    pid: first.pid,
    uptimeSeconds: Math.max(uptime() - first.startTime / ticksPerSecond, 0),
    cpuSeconds,
    memoryBytes,
    ...(memoryPeakBytes === undefined ? {} : { memoryPeakBytes }),
    // The host counts the threads of gVisor's kernel, and not what runs on it.
    pids:
      record.isolation === 'gvisor'
        ? await kept(taskCounts, live, countAgeMs, () => tasksInside(live))
        : tasks,
  };
}

/** What the init said last when it cannot be asked. */
async function tasksInside({ channel, paused }: LiveSandbox): Promise<number> {
  if (!paused) await channel.ping(pingTimeoutMs).catch(() => undefined);
  return channel.tasks ?? 0;
}

interface Count {
  readonly value: number;
  /** On the clock of `performance.now`. */
  readonly atMs: number;
}

const diskCounts = new WeakMap<object, Count>();
const taskCounts = new WeakMap<object, Count>();

/** A count that is not older than `ageMs`. */
async function kept(
  counts: WeakMap<object, Count>,
  key: object,
  ageMs: number,
  count: () => Promise<number>,
): Promise<number> {
  const known = counts.get(key);
  if (known !== undefined && performance.now() - known.atMs <= ageMs) return known.value;
  const value = await count();
  counts.set(key, { value, atMs: performance.now() });
  return value;
}
