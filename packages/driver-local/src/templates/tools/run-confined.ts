import { mkdirSync, rmdirSync } from 'node:fs';
import { setInterval } from 'node:timers';
import { statfs } from 'node:fs/promises';
import { SandportFault } from '@sandport/protocol';
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
  /** @default false */
  readonly network?: boolean;
  /** Largest file that it may write. */
  readonly maxFileBytes: number;
  readonly timeoutMs: number;
}

/** What must stay free of the disk, whatever a program writes. */
const reservedDiskBytes = 512 * 1024 * 1024;
const reservedInodes = 10_000;
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
  const signals = [stop.signal, AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])];
  const watch = setInterval(() => {
    isDiskFull(directory).then(
      (full) => {
        if (full) stop.abort(diskFull());
      },
      () => {},
    );
  }, diskLookMs);
  try {
    if (await isDiskFull(directory)) throw diskFull();
    await runTool(
      'unshare',
      [
        ...['--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child'],
        ...(network ? [] : ['--net']),
        ...['--propagation', 'private', '--', 'sh', '-c', confinedScript, 'confine'],
        ...[root, String(Math.ceil(options.maxFileBytes / 512))],
        ...paths.flatMap((path) => [path.writable ? 'rw' : 'ro', path.source, path.target]),
        ...['--', program, ...args],
      ],
      {
        ...options,
        signal: AbortSignal.any(signals),
        env: { PATH: searchPath, LC_ALL: 'C.UTF-8', HOME: '/', ...env },
      },
    );
  } catch (error) {
    if (error instanceof DOMException && error.name === 'TimeoutError')
      throw new Error(`${program} did not end within ${timeoutMs / 1000} s`, { cause: error });
    throw error;
  } finally {
    clearInterval(watch);
    rmdirSync(root);
  }
}

async function isDiskFull(directory: string): Promise<boolean> {
  const { bavail, bsize, files, ffree } = await statfs(directory);
  // File systems without a fixed number of inodes tell 0.
  return bavail * bsize < reservedDiskBytes || (files > 0 && ffree < reservedInodes);
}

const diskFull = () =>
  new SandportFault('disk_full', 'The disk is full; the template was not built.');
