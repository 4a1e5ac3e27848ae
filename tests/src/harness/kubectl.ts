import { execFile, execFileSync, type ExecFileException, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestDaemon } from './daemon.ts';
import { repoDir, sandportBin } from './paths.ts';

/** The kubectl that the set-up fetched, and the machine's own where it is another. */
export const kubectls: readonly string[] = [
  join(repoDir, '.setup/tools/kubectl/kubectl'),
  '/usr/bin/kubectl',
].filter((path) => existsSync(path));

export const noKubectl = 'there is no kubectl: the set-up could not fetch one';

/** Writes a kubeconfig with the command line, in a directory that goes with the daemon; its path. */
export function kubeconfigOf(
  daemon: TestDaemon,
  name = 'kubeconfig',
  options: { readonly args?: readonly string[]; readonly apiKey?: string } = {},
): string {
  mkdirSync(daemon.homeDir, { recursive: true });
  const file = join(daemon.homeDir, name);
  const { args = [], apiKey = daemon.apiKey } = options;
  execFileSync(process.execPath, [sandportBin, 'kubeconfig', '--output', file, ...args], {
    env: { ...process.env, SANDPORT_URL: daemon.url, SANDPORT_API_KEY: apiKey },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return file;
}

export interface Output {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A kubectl with a kubeconfig, whose directory is its home. */
export class Kubectl {
  readonly #program: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(program: string, kubeconfig: string, env: Readonly<Record<string, string>> = {}) {
    this.#program = program;
    // Its cache of the API must not be that of another test's daemon.
    const HOME = dirname(kubeconfig);
    this.#env = { PATH: process.env.PATH, HOME, KUBECONFIG: kubeconfig, ...env };
  }

  /** Runs it to its end, whatever that is. */
  run(args: readonly string[], input?: string | Buffer): Promise<Output> {
    return new Promise((resolve) => {
      const child = execFile(
        this.#program,
        args,
        { env: this.#env, maxBuffer: 64 * 2 ** 20, timeout: 120_000 },
        (error: ExecFileException | null, stdout, stderr) =>
          resolve({
            exitCode: error === null ? 0 : typeof error.code === 'number' ? error.code : 128,
            stdout,
            stderr,
          }),
      );
      child.stdin?.end(input);
    });
  }

  /** What it prints; it must succeed. */
  async out(args: readonly string[], input?: string | Buffer): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(args, input);
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${exitCode}\n${stderr}`);
    return stdout;
  }

  /** Starts it and lets it run. */
  start(args: readonly string[]): ReturnType<typeof spawn> {
    return spawn(this.#program, args, { env: this.#env, stdio: ['pipe', 'pipe', 'pipe'] });
  }
}
