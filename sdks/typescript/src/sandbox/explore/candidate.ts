import type { CommandLine } from '../../commands/command-options.ts';
import { SandportError } from '../../errors/sandport-error.ts';
import type { SignalOptions } from '../../filesystem/progress.ts';
import type { Sandbox } from '../sandbox.ts';

/** One thing to try: `cmd` or `fn`. */
export interface Candidate<Value = unknown> {
  label: string;
  /** A command; it succeeds with exit code 0. */
  cmd?: CommandLine | undefined;
  /** Does with the copy what it wants; it succeeds when it does not throw. */
  fn?: ((sandbox: Sandbox) => Value | Promise<Value>) | undefined;
  /** Seconds that the command may take; 0: any time. @default 60 */
  timeoutSeconds?: number | undefined;
  /** Same as `timeoutSeconds`. */
  timeoutS?: number | undefined;
  /** Added to the environment of the command. */
  env?: Readonly<Record<string, string>> | undefined;
  /** Known before; `scoreFn` is not asked then. */
  score?: number | undefined;
}

/** What became of a candidate. */
export interface BranchOutcome<Value = unknown> {
  readonly label: string;
  readonly sandbox: Sandbox;
  readonly sandboxId: string;
  /** True when it succeeded. */
  readonly ok: boolean;
  readonly score: number;
  /** Null of a function, and of a command that could not run. */
  readonly exitCode: number | null;
  /** The last 4,096 characters. */
  readonly stdoutTail: string;
  readonly stderrTail: string;
  /** Paths that the candidate added, changed in size or deleted, up to 200. */
  readonly filesChanged: readonly string[];
  readonly durationMs: number;
  /** What the function gave back. */
  readonly value?: Value;
  /** Why it could not run or be scored. */
  readonly error: string | null;
  readonly timedOut: boolean;
}

export interface ExploreOptions<Value = unknown> extends SignalOptions {
  /** How good an outcome is. @default 1 when it succeeded, else 0 */
  scoreFn?:
    | ((sandbox: Sandbox, outcome: BranchOutcome<Value>) => number | Promise<number>)
    | undefined;
  /** Which score wins; of equal ones the faster candidate. @default 'max' */
  select?:
    | 'max'
    | 'min'
    | ((outcomes: BranchOutcome<Value>[]) => BranchOutcome<Value> | undefined)
    | undefined;
  /** Only what succeeded can win. @default true */
  requireSuccess?: boolean | undefined;
  /** Candidates that run at one time. @default 4 */
  maxConcurrency?: number | undefined;
  /** Delete the copies that did not win. @default true */
  cleanupLosers?: boolean | undefined;
  /** Make the winner the keeper of its tree. @default true */
  promoteWinner?: boolean | undefined;
  /** Tell which files changed; or only those below this path. @default false */
  captureFiles?: boolean | string | undefined;
  /** Seconds after which copies are deleted when this program does not come to it. @default 600 */
  ttlSeconds?: number | undefined;
  /** Copies with the processes of the parent. @default where the isolation can */
  memory?: boolean | undefined;
  /** Called with each outcome as it comes. */
  onOutcome?: ((outcome: BranchOutcome<Value>) => void) | undefined;
}

export interface ExploreResult<Value = unknown> {
  readonly winner: Sandbox;
  readonly winnerOutcome: BranchOutcome<Value>;
  /** The best one first. */
  readonly outcomes: readonly BranchOutcome<Value>[];
  readonly treeId: string;
  /** Ids of copies that were deleted. */
  readonly reaped: readonly string[];
  /** Ids of copies that could not be deleted, and why. */
  readonly reapFailures: Readonly<Record<string, string>>;
  /** What went wrong beside: copies that could not be made, a promotion that failed. */
  readonly errors: readonly string[];
}

/** No candidate can win. Its copies are deleted. */
export class ExploreError extends SandportError {
  override name = 'ExploreError';
  readonly outcomes: readonly BranchOutcome[];

  constructor(message: string, outcomes: readonly BranchOutcome[] = []) {
    super(message, { code: 'explore_failed' });
    this.outcomes = outcomes;
  }
}
