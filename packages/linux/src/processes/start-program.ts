import { spawn } from '../ffi/spawn-calls.ts';
import { SystemError } from '../ffi/system-error.ts';
import { type ProcessEnd, signalChild, startChild } from './children.ts';
import { findProgram } from './find-program.ts';
import { ProgramError } from './program-error.ts';

export interface StartProgramOptions {
  /** Its whole environment. @default {@link plainEnvironment} */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Descriptors that become its standard ones; /dev/null where there is none. They stay open. */
  readonly stdin?: number | undefined;
  readonly stdout?: number | undefined;
  readonly stderr?: number | undefined;
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
 * Starts a program without a shell, without a copy of this process, and without a halt of the event
 * loop. It inherits no descriptor but its standard ones, and is in a session and process group of its own: a Ctrl-C at the terminal is for
 * this process, which lets its programs finish what they have begun.
 * @param program a path, or the name of one that is installed
 * @throws ProgramError when it is not installed; SystemError of posix_spawn(3) and execve(2)
 */
export async function startProgram(
  program: string,
  args: readonly string[],
  options: StartProgramOptions = {},
): Promise<Program> {
  const path = program.startsWith('/') ? program : findProgram(program);
  if (path === undefined) throw new ProgramError(program, 'it is not installed');
  const environment = Object.entries(options.env ?? plainEnvironment).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  // The kernel would see a shorter text than the caller.
  if ([...args, ...environment].some((text) => text.includes('\0')))
    throw new SystemError('EINVAL', `spawn ${program}`);
  const { stdin, stdout, stderr } = options;
  const { pid, ended } = await startChild(() =>
    spawn(path, [program, ...args], { standard: [stdin, stdout, stderr], environment }),
  );
  return { pid, ended, signal: (signal) => signalChild(pid, signal) };
}
