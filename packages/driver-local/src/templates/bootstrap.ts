import { existsSync } from 'node:fs';
import { hostAptOptions } from './host-apt-options.ts';
import { hostAptSources } from './apt-sources.ts';
import { runTool } from './tools/run-tool.ts';

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
  /** Where mmdebstrap keeps its temporary files, which it leaves when it is killed. */
  readonly temporaryDirectory: string;
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
  const failureIn = (line: string) =>
    /^(E:|W: GPG|setpriv:|dpkg: error)/.test(line) ? line : undefined;
  const env = { ...process.env, LC_ALL: 'C.UTF-8', TMPDIR: options.temporaryDirectory };
  await runTool('mmdebstrap', args, { ...options, env, failureIn });
}
