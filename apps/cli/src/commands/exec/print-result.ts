import type { CommandResult } from 'sandport';
import { printJson } from '../../output/print.ts';

/** Prints a result as the API spells it. @returns the exit code */
export function printResult(result: CommandResult): number {
  printJson({
    stdout: result.stdout,
    stderr: result.stderr,
    exit_code: result.exitCode,
    signal: result.signal,
    timed_out: result.timedOut,
    oom_killed: result.oomKilled,
    truncated: result.truncated,
    duration_ms: result.durationMs,
    woke: result.woke,
  });
  return result.exitCode;
}
