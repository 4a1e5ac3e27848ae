import { findProgram, runProgram } from '@sandport/linux';
import type { Isolation } from '@sandport/protocol';

/** A program that starts sandboxes of one isolation. */
export interface Runtime {
  readonly isolation: Isolation;
  readonly name: string;
  readonly program: string;
  readonly version: string;
  /** Options before the subcommand, beside those for the state directory and the log. */
  readonly flags: readonly string[];
  /** True: it gives the files that it has as standard input and output to the user it runs as. */
  readonly takesStandardFiles: boolean;
  /** Its environment beside PATH; it gets nothing of the daemon's. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * For runtimes that end right after the start: Go's garbage collector and its threads take a
 * quarter of that time for nothing.
 */
export const shortLivedGo = { GOGC: 'off', GOMAXPROCS: '1' };

/** The runtime for `container` that is installed; undefined when there is none. */
export async function findContainerRuntime(): Promise<Runtime | undefined> {
  for (const name of ['runc', 'crun']) {
    const program = findProgram(name);
    if (program === undefined) continue;
    const version = await readVersion(program);
    if (version !== undefined)
      return {
        isolation: 'container',
        name,
        program,
        version,
        flags: [],
        takesStandardFiles: false,
        env: shortLivedGo,
      };
  }
  return undefined;
}

/** gVisor's runtime, with the options that its version understands; undefined when not installed. */
export async function findGvisorRuntime(): Promise<Runtime | undefined> {
  const program = findProgram('runsc');
  if (program === undefined) return undefined;
  const version = await readVersion(program);
  const help = await helpOf(program);
  if (version === undefined || help === undefined) return undefined;
  return {
    isolation: 'gvisor',
    name: 'runsc',
    program,
    version,
    flags: gvisorFlags(help),
    takesStandardFiles: true,
    env: {},
  };
}

/**
 * Options for runsc: no network, host-side file changes seen at once, and host sockets that can be
 * connected to (the init's), never made. Names differ between versions; `help` is what
 * `runsc flags` prints.
 */
export function gvisorFlags(help: string): string[] {
  const has = (flag: string) => new RegExp(`^\\s+--?${flag}\\b`, 'm').test(help);
  const flags = ['--network=none', '--file-access=shared', `--platform=${platform(help)}`];
  flags.push(has('host-uds') ? '--host-uds=open' : '--fsgofer-host-uds');
  if (has('overlay2')) flags.push('--overlay2=none');
  if (has('file-access-mounts')) flags.push('--file-access-mounts=shared');
  if (has('cpu-num-from-quota')) flags.push('--cpu-num-from-quota');
  return flags;
}

/** The newer systrap where the version offers it; kvm needs hardware that may be absent. */
function platform(help: string): string {
  const text = /-platform value\s+([^\n]*)|-platform string\s+([^\n]*)/.exec(help)?.[0] ?? '';
  return text.includes('systrap') ? 'systrap' : 'ptrace';
}

async function readVersion(program: string): Promise<string | undefined> {
  try {
    const { stdout } = await runProgram(program, ['--version'], { timeoutMs: 10_000 });
    return /version\s+(?:release-)?(\S+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

async function helpOf(program: string): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await runProgram(program, ['flags'], { timeoutMs: 10_000 });
    return stdout + stderr;
  } catch {
    return undefined;
  }
}
