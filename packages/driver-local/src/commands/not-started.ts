import type { CommandSpec } from '@sandport/driver';
import type { InitError } from '@sandport/guest-init';
import { SandportFault } from '@sandport/protocol';
import type { CommandDefaults } from './command-defaults.ts';

/** Why a command could not be started, and the way out where it is not plain. */
export function notStarted(
  error: InitError,
  spec: CommandSpec,
  { user, workdir }: CommandDefaults,
): SandportFault {
  const { code, step } = error;
  const path = step === 'cwd' ? (spec.cwd ?? workdir) : spec.args[0];
  const named = JSON.stringify(shortened((step === 'user' ? (spec.user ?? user) : path) ?? ''));
  const what =
    reasons[`${step} ${code}`]?.replace('%', () => named) ??
    `${subjects[step ?? ''] ?? ''}${named}`;
  return new SandportFault(
    'command_not_started',
    `The command was not started: ${what} (${code ?? error.message}).`,
    { path, ...(code === undefined ? {} : { errno: code }) },
    { cause: error },
  );
}

const tooLong =
  'its arguments or its environment are too long; give what is long as a file, or to its stdin';
const noRoom =
  'the sandbox has no room for another process; end some, or raise its limits of processes or memory';

/** By step and error of the kernel; `%` is what was asked for. */
const reasons: Readonly<Record<string, string>> = {
  'user ENOENT': 'the sandbox has no user %',
  'cwd ENOENT': 'the working directory % does not exist',
  'cwd ENOTDIR': 'the working directory % is not a directory',
  'cwd EACCES': 'the user may not enter the working directory %',
  'exec ENOENT': 'the sandbox has no program %, or what interprets it is missing',
  'exec EACCES': '% is not a program that the user may run',
  'exec ENOEXEC': '% is not a program for this machine',
  'exec E2BIG': tooLong,
  // gVisor's word for one argument that is too long.
  'exec ENAMETOOLONG': tooLong,
  'request E2BIG': tooLong,
  'resources EAGAIN': noRoom,
  'resources ENOMEM': noRoom,
};

const subjects: Readonly<Record<string, string>> = {
  user: 'the user ',
  cwd: 'the working directory ',
  exec: 'the program ',
  request: 'the request for ',
  resources: 'no process could be made for ',
};

const shownChars = 200;

const shortened = (text: string): string =>
  text.length > shownChars ? `${text.slice(0, shownChars)}…` : text;
