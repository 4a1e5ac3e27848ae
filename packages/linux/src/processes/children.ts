import { constants } from 'node:os';
import { childStatus } from '../ffi/spawn-calls.ts';
import { errnoOf } from '../ffi/system-error.ts';
import { Limiter } from '../limiter.ts';

/** How a process has ended: one of the two is there. */
export interface ProcessEnd {
  readonly exitCode?: number;
  /** As `SIGKILL`. */
  readonly killedBy?: string;
}

/** Ends are looked for without a signal too: somebody else may have taken its handler away. */
const lookEveryMs = 1000;

const waiting = new Map<number, (end: ProcessEnd) => void>();
let timer: NodeJS.Timeout | undefined;

const signalNames = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name]),
);

/** Starts at one time: each takes one of the four threads of the pool, which files need too. */
const starts = new Limiter(2);
let starting = 0;

/**
 * Starts a child by `start`, which resolves with its process id, and waits for it; its end is told
 * once and its id may then belong to another. Keeps this process at work meanwhile.
 */
export async function startChild(
  start: () => Promise<number>,
): Promise<{ pid: number; ended: Promise<ProcessEnd> }> {
  // Before the child is there: a signal without a handler is lost.
  if (starting + waiting.size === 0) listen();
  starting += 1;
  try {
    const pid = await starts.run(start);
    return { pid, ended: new Promise((resolve) => waiting.set(pid, resolve)) };
  } finally {
    starting -= 1;
    // It may have ended before its id was known.
    lookForEnds();
  }
}

/** Sends a signal to a child of {@link startChild}; does nothing once its end was told. */
export function signalChild(pid: number, signal: NodeJS.Signals): void {
  if (!waiting.has(pid)) return;
  try {
    process.kill(pid, signal);
  } catch {
    // It has become another user, and ends by itself.
  }
}

function listen(): void {
  process.on('SIGCHLD', lookForEnds);
  timer ??= setInterval(lookForEnds, lookEveryMs);
}

function unlisten(): void {
  process.off('SIGCHLD', lookForEnds);
  clearInterval(timer);
  timer = undefined;
}

/** One signal stands for any number of ends. */
function lookForEnds(): void {
  for (const [pid, tell] of waiting) {
    const end = endOf(pid);
    if (end === undefined) continue;
    waiting.delete(pid);
    tell(end);
  }
  if (starting + waiting.size === 0) unlisten();
}

function endOf(pid: number): ProcessEnd | undefined {
  let status: number | undefined;
  try {
    status = childStatus(pid);
  } catch (error) {
    if (errnoOf(error) !== 'ECHILD') throw error;
    // Whoever has taken its end away from us has not said how it was.
    return { killedBy: 'an unknown cause' };
  }
  if (status === undefined) return undefined;
  const signal = status & 0x7f;
  if (signal === 0) return { exitCode: (status >> 8) & 0xff };
  return { killedBy: signalNames.get(signal) ?? `signal ${signal}` };
}
