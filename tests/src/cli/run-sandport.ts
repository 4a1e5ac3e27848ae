import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { repoDir, sandportBin, type UsedDaemon } from '../harness/index.ts';

export interface SandportResult {
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly exitCode: number | null;
}

export interface SandportOptions {
  /** Given to the command; `endless` begins and does not end. Without it the input is empty. */
  readonly stdin?: string | Uint8Array | { readonly endless: string | Uint8Array };
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Sends SIGINT when this resolves; it is called when an endless input has been taken.
   * @param output what the command has written to its standard output so far
   */
  readonly interrupt?: (output: () => string) => Promise<unknown>;
}

/** Runs the command line as a process of its own, pointed at the daemon under test. */
export async function runSandport(
  used: UsedDaemon | undefined,
  args: readonly string[],
  options: SandportOptions = {},
): Promise<SandportResult> {
  const child = spawn(process.execPath, [sandportBin, ...args], {
    cwd: options.cwd ?? repoDir,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: '/nonexistent',
      ...(used && { SANDPORT_URL: used.daemon.url, SANDPORT_API_KEY: used.daemon.apiKey }),
      ...options.env,
    },
  });
  const closed = once(child, 'close');
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A command that fails early does not read its input.
  child.stdin.on('error', () => {});
  const { stdin = '', interrupt } = options;
  const begun = new Promise<void>((resolve) => {
    if (typeof stdin === 'object' && 'endless' in stdin) {
      child.stdin.write(stdin.endless, () => resolve());
    } else {
      child.stdin.end(stdin);
      resolve();
    }
  });
  if (interrupt !== undefined) {
    await begun;
    await interrupt(() => Buffer.concat(stdout).toString());
    child.kill('SIGINT');
  }
  await closed;
  return {
    stdout: Buffer.concat(stdout),
    stderr: Buffer.concat(stderr).toString('utf8'),
    exitCode: child.exitCode,
  };
}
