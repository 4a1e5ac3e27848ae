import { readFileSync } from 'node:fs';

/**
 * When a process started, in clock ticks since boot: with its id it names one process, however often
 * the id is used again. Undefined when there is none, or only its zombie.
 */
export function processStartTime(pid: number): number | undefined {
  if (!Number.isSafeInteger(pid) || pid < 1) return undefined;
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name, in parentheses, may hold anything; the fields after the last one are numbers.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTime = Number(fields[19]);
  if (state === 'Z' || state === 'X' || !Number.isSafeInteger(startTime)) return undefined;
  return startTime;
}

/** Whether the process that had this id and start time still runs. */
export function isAlive(pid: number, startTime: number): boolean {
  return processStartTime(pid) === startTime;
}
