import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProgramError, runProgram } from '@sandport/linux';
import type { Runtime } from './runtime.ts';

export interface StartOptions {
  readonly id: string;
  /** Where the runtime keeps its own state. */
  readonly stateDir: string;
  readonly bundle: string;
  readonly pidFile: string;
  /** File that the runtime writes its errors to. */
  readonly log: string;
  /** Memory image to restore the processes from; a new first process starts without one. */
  readonly imageDir?: string | undefined;
  /** Network namespace of the bundle, where that has one by its path. */
  readonly networkPath?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Creates and starts a sandbox, or restores one; resolves with the host's process id of its first process once the
 * runtime has done its work. The sandbox is in a session of its own and outlives this process.
 * @throws Error with the runtime's last words
 */
export async function startWithRuntime(runtime: Runtime, options: StartOptions): Promise<number> {
  const { id, stateDir, bundle, pidFile, log, imageDir, signal } = options;
  const [program, ...before] = commandFor(runtime, options);
  const args = [...before, '--root', stateDir, '--log', log, '--log-format', 'json'];
  args.push(...(imageDir === undefined ? ['run'] : ['restore', '--image-path', imageDir]));
  args.push('--detach', '--bundle', bundle, '--pid-file', pidFile, id);
  const file = runtime.takesStandardFiles ? emptyFile(bundle) : undefined;
  try {
    const env = runtimeEnvironment(runtime);
    const files = file ?? 'nothing';
    await runProgram(program, args, { env, files, signal });
    return Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
  } catch (error) {
    throw withLastWords(error, log);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/**
 * The program with its first options. runsc takes a namespace for the machine's own, and refuses it,
 * when it finds a certain file there, which new kernels have in every namespace: so it does not see
 * the settings of networks.
 */
function commandFor(
  { isolation, program, flags }: Runtime,
  { networkPath, bundle }: StartOptions,
): [string, ...string[]] {
  if (networkPath === undefined || isolation !== 'gvisor') return [program, ...flags];
  const empty = join(bundle, 'empty');
  mkdirSync(empty, { recursive: true, mode: 0o700 });
  const hide = 'mount --bind "$1" /proc/sys/net && shift && exec "$@"';
  const own = flags.map((flag) => (flag === '--network=none' ? '--network=sandbox' : flag));
  const apart = ['--mount', '--propagation', 'slave', '--', 'sh', '-c', hide, 'sh', empty];
  return ['unshare', ...apart, program, ...own];
}

/** All that a runtime gets to know of the daemon's environment. */
export const runtimeEnvironment = ({ env }: Runtime): Record<string, string> => ({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  ...env,
});

/**
 * Stands in for /dev/null, which a runtime would otherwise give away for the whole machine. It is
 * open for reading only: nothing that a guest writes can fill it.
 */
function emptyFile(bundle: string): number {
  const path = join(bundle, 'stdio');
  closeSync(openSync(path, 'w', 0o600));
  return openSync(path, 'r');
}

/** What a runtime that failed has written to its log; other errors as they are. */
export function withLastWords(error: unknown, log: string): unknown {
  const words = error instanceof ProgramError ? lastWords(log) : undefined;
  return words === undefined ? error : new Error(words, { cause: error });
}

/** What went wrong, from a runtime's log of JSON lines: the cause if it stands there, else the last error. */
export function lastWords(log: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(log, 'utf8');
  } catch {
    return undefined;
  }
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  let last: string | undefined;
  for (const line of lines) {
    const level = /"level":\s*"(\w+)"/.exec(line)?.[1];
    const message = /"msg":\s*("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
    if (message === undefined) continue;
    if (level === 'fatal') return String(JSON.parse(message)).slice(0, 1000);
    if (level === 'error') last = String(JSON.parse(message));
  }
  return (last ?? lines.at(-1))?.slice(0, 1000);
}
