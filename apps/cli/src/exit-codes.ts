import { ConfigurationError, NetworkError, NotFoundError, TimeoutError } from 'sandport';
import { UsageError } from './usage-error.ts';

/** What the exit codes mean; `exec`, `shell` and `attach` pass on the code of a command instead. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  unreachable: 4,
  /** The command of `exec`, `shell` or `attach` could not be run or followed. */
  notRun: 125,
  interrupted: 130,
} as const;

export const exitCodesHelp = `
Exit codes:
  0    done
  1    the daemon refused or failed, or a local file could not be read or written
  2    wrong usage
  3    what was named does not exist: a sandbox, file, template, volume, snapshot, …
  4    the daemon cannot be reached
  130  Ctrl-C
  \`exec\`, \`shell\` and \`attach\` end with the exit code of their command, and with 125 when it
  could not be run or followed; \`fs grep\` with 1 when nothing matches, and with 2 when it failed.`;

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage;
  if (error instanceof NotFoundError) return exitCodes.notFound;
  if (
    error instanceof NetworkError ||
    error instanceof TimeoutError ||
    error instanceof ConfigurationError
  ) {
    return exitCodes.unreachable;
  }
  return exitCodes.failed;
}
