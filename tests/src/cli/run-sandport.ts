import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { repoDir, sandportBin, type UsedDaemon } from '../harness/index.ts';

export interface SandportResult {
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly exitCode: number | null;
}

export interface SandportOptions {
  /** Given to the command; without it its input is empty. */
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Sends this signal once standard output has begun, or after so many milliseconds. */
  readonly interrupt?: 'on-output' | number;
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
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A command that fails early does not read its input.
  child.stdin.on('error', () => {});
  child.stdin.end(options.stdin ?? '');
  if (options.interrupt === 'on-output') child.stdout.once('data', () => child.kill('SIGINT'));
  else if (options.interrupt !== undefined)
    setTimeout(() => child.kill('SIGINT'), options.interrupt);
  await once(child, 'close');
  return {
    stdout: Buffer.concat(stdout),
    stderr: Buffer.concat(stderr).toString('utf8'),
    exitCode: child.exitCode,
  };
}
