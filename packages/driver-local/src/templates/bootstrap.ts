import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { existsSync } from 'node:fs';
import { hostAptOptions } from './host-apt-options.ts';
import { hostAptSources } from './apt-sources.ts';

/** Keeps documentation, manual pages and translations out; licences stay. */
const dpkgOptions = [
  'path-exclude=/usr/share/doc/*',
  'path-include=/usr/share/doc/*/copyright',
  'path-exclude=/usr/share/man/*',
  'path-exclude=/usr/share/info/*',
  'path-exclude=/usr/share/locale/*',
  'path-exclude=/usr/share/lintian/*',
  'force-unsafe-io',
];

const mergedUsrHook = '/usr/share/mmdebstrap/hooks/maybe-merged-usr';

export interface BootstrapOptions {
  readonly packages: readonly string[];
  /** Directory that gets the root file system; must not exist. */
  readonly target: string;
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Installs Debian packages into a new directory with mmdebstrap.
 * @throws Error with the last error line of mmdebstrap; the directory may be half-made then
 */
export async function bootstrap(options: BootstrapOptions): Promise<void> {
  const [sources, aptOptions] = await Promise.all([hostAptSources(), hostAptOptions()]);
  const args = [
    '--variant=essential',
    '--mode=root',
    `--include=${options.packages.join(',')}`,
    ...dpkgOptions.map((option) => `--dpkgopt=${option}`),
    ...aptOptions.map((option) => `--aptopt=${option}`),
    ...(existsSync(mergedUsrHook) ? [`--hook-dir=${mergedUsrHook}`] : []),
    sources.suite,
    options.target,
    ...sources.lines,
  ];
  await run('mmdebstrap', args, options);
}

function run(program: string, args: readonly string[], options: BootstrapOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    // It dies with this process, and as a group, so that an abort also ends apt and dpkg.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    const abort = () => {
      if (child.pid !== undefined) killGroup(child.pid);
    };
    if (options.signal?.aborted) abort();
    options.signal?.addEventListener('abort', abort, { once: true });
    let failure = '';
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        if (/^(E:|W: GPG|setpriv:|dpkg: error)/.test(line)) failure ||= line;
        if (line.trim() !== '') options.onLine(line);
      });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      options.signal?.removeEventListener('abort', abort);
      if (code === 0) resolve();
      else if (options.signal?.aborted) reject(options.signal.reason);
      else reject(new Error(failure || `${program} ended with ${signal ?? `exit code ${code}`}`));
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
