import { CommandError } from '../errors/client-errors.ts';
import type { CommandLine } from './command-options.ts';
import type { CommandResult } from './command-result.ts';

/** @throws CommandError when the command failed */
export function checkExit<Result extends CommandResult>(
  command: CommandLine,
  result: Result,
): Result {
  if (result.exitCode === 0) return result;
  const text = typeof command === 'string' ? command : command.join(' ');
  const why = result.timedOut ? 'ran out of time' : `failed with exit code ${result.exitCode}`;
  const last = result.stderr.trimEnd().split('\n').at(-1) ?? '';
  throw new CommandError(
    `The command ${JSON.stringify(text.slice(0, 200))} ${why}${last === '' ? '.' : `: ${last}`}`,
    result,
  );
}
