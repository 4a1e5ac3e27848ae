import type { CommandExit } from '@sandport/driver';
import type { ExecResult } from '@sandport/protocol';

/** How a command ended, without its output. */
export type CommandResult = Omit<ExecResult, 'stdout' | 'stderr'>;

/** @param startedAt on the clock of `performance.now` */
export const resultOf = (exit: CommandExit, startedAt: number): CommandResult => ({
  exit_code: exit.exitCode,
  ...(exit.signal === undefined ? {} : { signal: exit.signal }),
  ...(exit.timedOut ? { timed_out: true } : {}),
  ...(exit.oomKilled ? { oom_killed: true } : {}),
  duration_ms: Math.round((performance.now() - startedAt) * 10) / 10,
});
