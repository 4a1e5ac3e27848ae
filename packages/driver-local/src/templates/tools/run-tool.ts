import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

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
export function runTool(
  program: string,
  args: readonly string[],
  options: RunToolOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that an abort reaches its children too.
      detached: true,
      env: options.env ?? { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    const abort = () => {
      if (child.pid !== undefined) killGroup(child.pid);
    };
    if (options.signal?.aborted) abort();
    options.signal?.addEventListener('abort', abort, { once: true });
    let failure: string | undefined;
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (whole) => {
        const line = whole.slice(0, longestLine).trimEnd();
        if (line.trim() === '') return;
        failure ??= options.failureIn?.(line);
        options.onLine(line);
      });
    child.once('error', (error) => {
      options.signal?.removeEventListener('abort', abort);
      reject(error);
    });
    child.once('close', (code, signal) => {
      options.signal?.removeEventListener('abort', abort);
      if (code === 0) resolve();
      else if (options.signal?.aborted) reject(options.signal.reason);
      else
        reject(
          new ToolError(
            program,
            failure ?? `${program} ended with ${signal ?? `exit code ${code}`}`,
          ),
        );
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
