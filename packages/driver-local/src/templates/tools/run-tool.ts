import { createInterface } from 'node:readline';
import { OutputPipe, startProgram } from '@sandport/linux';

export interface RunToolOptions {
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Tells from a line of output why the program will fail; the first answer counts. */
  readonly failureIn?: (line: string) => string | undefined;
}

/** A program that did not end well; the message is the program's own reason where it gave one. */
export class ToolError extends Error {
  readonly program: string;

  constructor(program: string, message: string) {
    super(message);
    this.program = program;
  }
}

const longestLine = 4096;

/**
 * Runs a program that does not outlive this process, with its output line by line. An abort ends it
 * with all of its children.
 * @throws ToolError; the reason of the signal when that ended it
 */
export async function runTool(
  program: string,
  args: readonly string[],
  options: RunToolOptions,
): Promise<void> {
  const { signal, env = { ...process.env, LC_ALL: 'C.UTF-8' } } = options;
  signal?.throwIfAborted();
  using stdout = new OutputPipe();
  using stderr = new OutputPipe();
  const tool = await startProgram('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
    stdout: stdout.writeEnd,
    stderr: stderr.writeEnd,
    env,
  });
  let failure: string | undefined;
  for (const pipe of [stdout, stderr]) {
    pipe.closeWriteEnd();
    createInterface({ input: pipe.stream }).on('line', (whole) => {
      const line = whole.slice(0, longestLine).trimEnd();
      if (line.trim() === '') return;
      failure ??= options.failureIn?.(line);
      options.onLine(line);
    });
  }
  // It leads a group of its own, with its children.
  const abort = () => killGroup(tool.pid);
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  const [{ exitCode, killedBy }] = await Promise.all([tool.ended, stdout.ended, stderr.ended]);
  signal?.removeEventListener('abort', abort);
  if (exitCode === 0) return;
  signal?.throwIfAborted();
  const how = killedBy ?? `exit code ${exitCode}`;
  throw new ToolError(program, failure ?? `${program} ended with ${how}`);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
