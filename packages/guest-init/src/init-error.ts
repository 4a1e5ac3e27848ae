import { getSystemErrorName } from 'node:util';
import type { StartStep } from './wire.ts';

/**
 * - `not_started`: the program could not be run; `step` and `errno` say why.
 * - `not_connected`: the port could not be reached; `errno` says why.
 * - `outdated`: an init of an earlier release, which cannot do this.
 * - `unresponsive`: the init does not answer.
 * - `disconnected`: there is no connection to the init, or it went away.
 * - `not_suspended`: a process cannot be kept; the message says which and why. All goes on.
 * - `protocol`: the init broke the protocol and its connection was dropped.
 */
export type InitErrorKind =
  | 'not_started'
  | 'not_connected'
  | 'outdated'
  | 'not_suspended'
  | 'unresponsive'
  | 'disconnected'
  | 'protocol';

export class InitError extends Error {
  readonly kind: InitErrorKind;
  /** Linux error number of a command that did not start, or a port that was not reached. */
  readonly errno?: number;
  /** Its name, as `ENOENT`. */
  readonly code?: string;
  readonly step?: StartStep;

  constructor(kind: InitErrorKind, message: string, cause?: { step?: StartStep; errno: number }) {
    super(message);
    this.name = 'InitError';
    this.kind = kind;
    if (cause !== undefined) {
      this.errno = cause.errno;
      this.code = errnoName(cause.errno);
      if (cause.step !== undefined) this.step = cause.step;
    }
  }

  static notStarted(step: StartStep, errno: number): InitError {
    const what = STEP_MESSAGES[step];
    return new InitError('not_started', `${what}: ${errnoName(errno)}`, { step, errno });
  }

  static notConnected(errno: number): InitError {
    const message = `the port cannot be reached: ${errnoName(errno)}`;
    return new InitError('not_connected', message, { errno });
  }
}

const STEP_MESSAGES: Record<StartStep, string> = {
  request: 'the request cannot be served',
  resources: 'no process could be made for the command',
  user: 'the user cannot be used',
  cwd: 'the working directory cannot be entered',
  exec: 'the program cannot be run',
};

/** As `ENOENT`. */
export function errnoName(errno: number): string {
  if (!Number.isInteger(errno) || errno < 1 || errno > 4095) return `errno ${errno}`;
  const name = getSystemErrorName(-errno);
  return name.startsWith('Unknown') ? `errno ${errno}` : name;
}
