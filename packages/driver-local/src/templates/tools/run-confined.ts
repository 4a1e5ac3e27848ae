import { mkdirSync, rmdirSync } from 'node:fs';
import { setInterval } from 'node:timers';
import { refuseFullDisk } from './disk-room.ts';
import { confinedScript } from './confined-script.ts';
import { runTool, type RunToolOptions } from './run-tool.ts';

/** What a confined program sees of the machine beside its programs and libraries. */
export interface ConfinedPath {
  readonly source: string;
  /** Absolute, where the program finds it. */
  readonly target: string;
  /** @default false */
  readonly writable?: boolean;
}

export interface RunConfinedOptions extends RunToolOptions {
  /** Trusted directory; an empty directory in it serves as mount point for a moment. */
  readonly directory: string;
  readonly paths: readonly ConfinedPath[];
  /** Targets among `paths`, topmost first, that are seen as one read-only tree. */
  readonly merged?: { readonly layers: readonly string[]; readonly target: string };
  /** @default false */
  readonly network?: boolean;
  /**
   * `files`: what it takes to give files any owner, mode and attribute. `all`: everything, beside
   * /sys and harmless devices, for a program that confines others. @default 'files'
   */
  readonly rights?: 'files' | 'all';
  /** Largest file that it may write. */
  readonly maxFileBytes: number;
  readonly timeoutMs: number;
}

const diskLookMs = 250;

const searchPath = '/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Runs a program on input that nobody trusts: in a root of its own in which only `paths` are to be
 * seen, without network, without devices, setuid or privileges to gain, with a few capabilities
 * over files, and within limits of time, file size and free disk.
 * @throws ToolError, SandportFault `disk_full`; the reason of the signal
 */
export async function runConfined(
  program: string,
  args: readonly string[],
  options: RunConfinedOptions,
): Promise<void> {
  const { directory, paths, network = false, env = {}, timeoutMs, signal } = options;
  const root = `${directory}/confined`;
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const stop = new AbortController();
  const timer = AbortSignal.timeout(timeoutMs);
  const signals = [stop.signal, timer, ...(signal ? [signal] : [])];
  const watch = setInterval(() => {
    refuseFullDisk(directory).catch((error: unknown) => stop.abort(error));
  }, diskLookMs);
  try {
    await refuseFullDisk(directory);
    await runTool(
      'unshare',
      [
        ...['--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child'],
        ...(network ? [] : ['--net']),
        ...['--propagation', 'private', '--', 'sh', '-c', confinedScript, 'confine'],
        ...[root, String(Math.ceil(options.maxFileBytes / 512)), options.rights ?? 'files'],
        ...paths.flatMap((path) => [path.writable ? 'rw' : 'ro', path.source, path.target]),
        ...mergeArguments(options.merged),
        ...['--', program, ...args],
      ],
      {
        ...options,
        signal: AbortSignal.any(signals),
        env: { PATH: searchPath, LC_ALL: 'C.UTF-8', HOME: '/', ...env },
      },
    );
  } catch (error) {
    if (timer.aborted && error === timer.reason)
      throw new Error(`${program} did not end within ${timeoutMs / 1000} s`, { cause: error });
    throw error;
  } finally {
    clearInterval(watch);
    rmdirSync(root);
  }
}

const mergeArguments = (merged: RunConfinedOptions['merged']): string[] =>
  merged === undefined
    ? []
    : ['merge', merged.layers.map((path) => `.${path}`).join(':'), merged.target];
