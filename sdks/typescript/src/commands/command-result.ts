import type { ExecResult } from '@sandport/protocol';
import type { Woke } from '../http/woke.ts';

/** How a command ended. */
export interface CommandEnd {
  /** Exit code, or 128 + number of the signal that ended it. */
  readonly exitCode: number;
  /** Same as `exitCode`, as the API spells it. */
  readonly exit_code: number;
  /** Signal that ended it, as SIGKILL. */
  readonly signal?: string;
  /** The time limit ended it. */
  readonly timedOut: boolean;
  /** The memory limit ended it. */
  readonly oomKilled: boolean;
  /** Output was cut at the limit. */
  readonly truncated: boolean;
  readonly durationMs: number;
  /** The sandbox was hibernated, and came back like this. */
  readonly woke?: Woke;
}

/** What a command wrote and how it ended. */
export interface CommandResult extends CommandEnd {
  /** Bytes that are not UTF-8 come as U+FFFD. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Makes it from what the API sends. */
export function commandEnd(
  result: Omit<ExecResult, 'stdout' | 'stderr'>,
  woke: Woke | undefined,
): CommandEnd {
  return {
    exitCode: result.exit_code,
    exit_code: result.exit_code,
    ...(result.signal !== undefined && { signal: result.signal }),
    timedOut: result.timed_out ?? false,
    oomKilled: result.oom_killed ?? false,
    truncated: result.truncated ?? false,
    durationMs: result.duration_ms,
    ...(woke !== undefined && { woke }),
  };
}
