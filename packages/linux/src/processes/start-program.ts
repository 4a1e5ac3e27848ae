import { spawn } from '../ffi/spawn-calls.ts';
import { SystemError } from '../ffi/system-error.ts';
import { type ProcessEnd, signalChild, startChild } from './children.ts';
import { findProgram } from './find-program.ts';

export interface StartProgramOptions {
  /** Its whole environment. @default {@link plainEnvironment} */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Descriptors that become its standard ones; /dev/null where there is none. They stay open. */
  readonly stdin?: number | undefined;
  readonly stdout?: number | undefined;
  readonly stderr?: number | undefined;
  /** In a session and process group of its own: no signal of a terminal reaches it. @default false */
  readonly ownSession?: boolean | undefined;
}

/** A program that was started. It is not ended when this process ends. */
export interface Program {
  readonly pid: number;
  /** Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** Does nothing once it has ended. */
  readonly signal: (signal: NodeJS.Signals) => void;
}

/** What programs get to know without more: messages in English, and nothing of this process. */
export const plainEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
} as const;

/**
 * Starts a program without a shell and without a copy of this process: the event loop stands still
 * for a fraction of a millisecond, however large the process is. It inherits no descriptor but its
 * standard ones.
 * @param program a path, or the name of one that is installed
 * @throws SystemError ENOENT when it is not there, and others of posix_spawn(3) and execve(2)
 */
export function startProgram(
  program: string,
  args: readonly string[],
  options: StartProgramOptions = {},
): Program {
  const path = program.startsWith('/') ? program : findProgram(program);
  if (path === undefined) throw new SystemError('ENOENT', `spawn ${program}`);
  const environment = Object.entries(options.env ?? plainEnvironment).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  // The kernel would see a shorter text than the caller.
  if ([...args, ...environment].some((text) => text.includes('\0')))
    throw new SystemError('EINVAL', `spawn ${program}`);
  const { stdin, stdout, stderr, ownSession = false } = options;
  const { pid, ended } = startChild(() =>
    spawn(path, [program, ...args], {
      standard: [stdin, stdout, stderr],
      environment,
      ownSession,
    }),
  );
  return { pid, ended, signal: (signal) => signalChild(pid, signal) };
}
