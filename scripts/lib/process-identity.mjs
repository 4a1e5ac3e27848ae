import { readFileSync } from 'node:fs';

/**
 * When the process started, in clock ticks since boot; undefined when there is none. With the pid
 * it names a process for good: pids are reused, start times of one pid never are.
 */
export function processStartTime(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may hold anything, so the fields are counted from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export function isAlive({ pid, startTime }) {
  const actual = processStartTime(pid);
  return actual !== undefined && actual === startTime;
}

export const ownIdentity = () => ({
  pid: process.pid,
  startTime: processStartTime(process.pid),
});

/** Sends the signal only when the pid still belongs to that process. */
export function signalProcess(identity, signal) {
  if (!isAlive(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** SIGTERM, then SIGKILL when it has not ended in time. Resolves when it is gone. */
export async function endProcess(identity, { graceMs = 10_000 } = {}) {
  signalProcess(identity, 'SIGTERM');
  const deadline = performance.now() + graceMs;
  let killed = false;
  while (isAlive(identity)) {
    if (!killed && performance.now() > deadline) {
      killed = signalProcess(identity, 'SIGKILL');
    }
    if (performance.now() > deadline + 10_000) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
