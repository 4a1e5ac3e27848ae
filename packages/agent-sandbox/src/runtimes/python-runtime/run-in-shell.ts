import { constants } from 'node:os';
import { type ExecResult, maxExecOutputBytes, SandportFault } from '@sandport/protocol';
import type { RuntimeEngine, RuntimeTarget } from '../runtime.ts';

/** How a command ended, as clients of the python runtime know it. */
export interface ExecuteResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Negative: the number of the signal that ended it. 124: it took too long. */
  readonly exit_code: number;
  readonly timed_out?: true;
}

export interface ShellCommand {
  readonly command: string;
  readonly timeoutSeconds: number | undefined;
  /** Kills the process group. */
  readonly signal: AbortSignal;
}

const timedOutCode = 124;

/** Runs a command line to its end. Never rejects: what went wrong is told as a failed command. */
export async function runInShell(
  engine: RuntimeEngine,
  { principal, sandbox }: RuntimeTarget,
  { command, timeoutSeconds, signal }: ShellCommand,
): Promise<ExecuteResult> {
  const run = (cwd: string | undefined) =>
    engine.commands.run(
      principal,
      sandbox.sandboxId,
      {
        args: ['/bin/sh', '-c', command],
        ...(cwd === undefined ? {} : { cwd }),
        ...(timeoutSeconds === undefined ? {} : { timeout_seconds: timeoutSeconds }),
      },
      { signal },
    );
  try {
    const result = await run(sandbox.home).catch((error: unknown) => {
      // Nothing has been run; a template may be without this directory.
      if (error instanceof SandportFault && error.code === 'command_not_started')
        return run(undefined);
      throw error;
    });
    return inWords(result, timeoutSeconds);
  } catch (error) {
    const sentence = error instanceof SandportFault ? error.message : 'an unexpected condition';
    return { stdout: '', stderr: `Failed to execute command: ${sentence}`, exit_code: 1 };
  }
}

function inWords(result: ExecResult, timeoutSeconds: number | undefined): ExecuteResult {
  const notes: string[] = [];
  if (result.truncated === true)
    notes.push(
      `The output was cut: of each stream the first ${maxExecOutputBytes} bytes are kept.`,
    );
  if (result.oom_killed === true) notes.push('The memory limit of the sandbox ended the command.');
  const timedOut = result.timed_out === true;
  if (timedOut) notes.push(`Command timed out after ${timeoutSeconds} seconds`);
  return {
    stdout: result.stdout,
    stderr: withNotes(result.stderr, notes),
    exit_code: timedOut ? timedOutCode : exitCode(result),
    ...(timedOut ? { timed_out: true } : {}),
  };
}

function exitCode({ exit_code: code, signal }: ExecResult): number {
  if (signal === undefined) return code;
  const number = Object.entries(constants.signals).find(([name]) => name === signal)?.[1];
  return -(number ?? code - 128);
}

function withNotes(stderr: string, notes: readonly string[]): string {
  if (notes.length === 0) return stderr;
  const start = stderr === '' || stderr.endsWith('\n') ? stderr : `${stderr}\n`;
  return `${start}${notes.join('\n')}`;
}
