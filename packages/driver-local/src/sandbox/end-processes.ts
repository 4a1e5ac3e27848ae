import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, killCgroup, removeCgroup, thawCgroup } from '@sandport/linux';
import type { Layout, SandboxLayout } from '../layout.ts';
import type { ProcessIdentity } from './liveness.ts';

/** Longest wait for processes to end after SIGKILL. */
const longestEndMs = 10_000;

/** Ends all processes of a sandbox and removes its cgroup. Idempotent. */
export async function killSandbox(
  layout: SandboxLayout,
  process_: ProcessIdentity | undefined,
): Promise<void> {
  if (process_ && isAlive(process_.pid, process_.startTime)) kill(process_.pid);
  await killCgroupTree(layout.cgroup);
}

/** Ends all processes of a cgroup and removes it. Idempotent. */
export async function killCgroupTree(path: string): Promise<void> {
  const deadlineMs = performance.now() + longestEndMs;
  for (;;) {
    // A process that forks while the group is read needs another round.
    await killCgroup(path);
    // A frozen process dies when it goes on, before it does anything else.
    await thawCgroup(path);
    try {
      return await removeCgroup(path, { timeoutMs: 250 });
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
    }
  }
}

/**
 * Removes what the runtimes remember of a sandbox whose processes have ended. The runtimes' own
 * `delete` does the same and takes up to two seconds.
 */
export function removeRuntimeState(layout: Layout, id: string): void {
  for (const name of ['runc', 'crun', 'runsc']) {
    const stateDir = join(layout.runDir, name);
    for (const entry of listOrEmpty(stateDir))
      if (entry.includes(id)) rmSync(join(stateDir, entry), { recursive: true, force: true });
  }
}

function listOrEmpty(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended between the look and the signal.
  }
}
