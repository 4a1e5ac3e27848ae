import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleepFor } from 'node:timers/promises';
import { isAlive, listCgroupProcesses, processStartTime } from '@sandport/linux';
import type { Layout } from '../layout.ts';
import type { ProcessIdentity } from './liveness.ts';
import { hasImage } from './memory-image.ts';
import type { SandboxRecord } from './record.ts';
import { runtimesAtWork } from './stray-processes.ts';

/** Why a sandbox has no processes that had some when the last daemon ended. */
export const lostWithDaemon = 'its processes ended while the daemon was not running';

/** Longest wait for a runtime that its daemon left at work. */
const longestRuntimeMs = 20_000;

/**
 * The first process of a sandbox that an earlier daemon left, where it lives: also one that was
 * being started, once its runtime has done its work. Never two of them can be.
 */
export async function findProcess(
  layout: Layout,
  id: string,
  { process, sleep }: SandboxRecord,
): Promise<ProcessIdentity | undefined> {
  if (sleep?.phase === 'falling' || sleep?.phase === 'rising') await runtimesDone(layout, id);
  if (process !== undefined && isAlive(process.pid, process.startTime)) return process;
  if (sleep?.phase !== 'rising') return undefined;
  const { pidFile, cgroup } = layout.sandbox(id);
  const pid = existsSync(pidFile) ? Number.parseInt(readFileSync(pidFile, 'utf8'), 10) : 0;
  const startTime = processStartTime(pid);
  const isOurs = startTime !== undefined && (await listCgroupProcesses(cgroup)).includes(pid);
  return isOurs ? { pid, startTime } : undefined;
}

/** How a sandbox without processes sleeps; undefined for one that is dead. */
export function interruptedSleep(
  layout: Layout,
  id: string,
  { sleep, isolation }: SandboxRecord,
): SandboxRecord['sleep'] {
  if (sleep === undefined) return undefined;
  const { phase, image, lostImage } = sleep;
  const without = (reason: string) =>
    ({ phase: 'asleep', lostImage: isolation === 'gvisor' ? reason : undefined }) as const;
  if (image === undefined) return { phase: 'asleep', lostImage };
  // Processes that came from it may have written to the disk since.
  if (phase === 'rising' && mayHaveRun(layout, id))
    return without('the daemon ended while the sandbox woke');
  if (hasImage(layout.sandbox(id), image)) return { phase: 'asleep', image };
  return without(
    phase === 'falling'
      ? 'the daemon ended while its memory was written'
      : 'the image of its memory is missing',
  );
}

/** False when a start that was announced did not come to the runtime's work. */
function mayHaveRun(layout: Layout, id: string): boolean {
  if (!existsSync(layout.sandbox(id).bundle)) return true; // The machine was started anew.
  return ['runc', 'crun', 'runsc'].some((name) =>
    listNames(join(layout.runDir, name)).some((entry) => entry.includes(id)),
  );
}

async function runtimesDone(layout: Layout, id: string): Promise<void> {
  const untilMs = performance.now() + longestRuntimeMs;
  for (;;) {
    const pids = runtimesAtWork(layout, id);
    if (pids.length === 0) return;
    if (performance.now() > untilMs) for (const pid of pids) kill(pid);
    await sleepFor(20);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

function listNames(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
