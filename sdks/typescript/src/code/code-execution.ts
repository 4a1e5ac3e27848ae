import type { CodeEnd, CodeError } from '@sandport/protocol';
import type { CodeResult } from './code-result.ts';

/** What a run of code came to. Code that ends with an error is no error of the call: see `error`. */
export interface CodeExecution {
  readonly stdout: string;
  readonly stderr: string;
  /** What it displayed, and last the value of its last expression. */
  readonly results: readonly CodeResult[];
  /** The error that ended the code. */
  readonly error?: CodeError;
  /** 0; 1 after an error; for shell the exit status of the last command. */
  readonly exitCode: number;
  /** How many runs the kernel has had. */
  readonly executionCount?: number;
  /** True: it was ended after `timeoutMs`. */
  readonly timedOut: boolean;
  /** True: the variables of earlier runs were lost before this one. */
  readonly restarted: boolean;
  /** True: output or results were left out, beyond 10 MiB. */
  readonly truncated: boolean;
  readonly durationMs: number;
}

export function codeExecution(
  end: CodeEnd,
  given: Pick<CodeExecution, 'stdout' | 'stderr' | 'results'>,
): CodeExecution {
  return {
    ...given,
    ...(end.error_details === undefined ? {} : { error: end.error_details }),
    exitCode: end.exit,
    ...(end.execution_count === undefined ? {} : { executionCount: end.execution_count }),
    timedOut: end.timed_out ?? false,
    restarted: end.restarted ?? false,
    truncated: end.truncated ?? false,
    durationMs: end.duration_ms,
  };
}
