import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { repoDir, sandportBin, type UsedDaemon, waitFor } from '../harness/index.ts';

export interface SandportResult {
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly exitCode: number | null;
}

export interface SandportOptions {
  /** Given to the command; `endless` begins and does not end. Without it the input is empty. */
  readonly stdin?: string | Uint8Array | { readonly endless: string };
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Sends SIGINT when this resolves; it is called once the command listens for the signal. */
  readonly interrupt?: () => Promise<unknown>;
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
  const { stdin = '' } = options;
  if (typeof stdin === 'object' && 'endless' in stdin) child.stdin.write(stdin.endless);
  else child.stdin.end(stdin);
  const { interrupt } = options;
  if (interrupt !== undefined) {
    await waitFor(() => catchesInterrupt(child.pid), { timeoutMs: 10_000, what: 'a handler' });
    await interrupt();
    child.kill('SIGINT');
  }
  await closed;
  return {
    stdout: Buffer.concat(stdout),
    stderr: Buffer.concat(stderr).toString('utf8'),
    exitCode: child.exitCode,
  };
}

/** True when the process has a handler for SIGINT, the second signal. */
async function catchesInterrupt(pid: number | undefined): Promise<true | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const caught = BigInt(`0x${/^SigCgt:\s*(\w+)/m.exec(status)?.[1] ?? '0'}`);
  return (caught & 0b10n) === 0n ? undefined : true;
}
