import type { CommandResult } from '../command-result.ts';
import type { CommandInput } from '../stdin-chunks.ts';
import type { LiveCommand } from './live-command.ts';

/**
 * Feeds a command and waits for its end. One that ends before its input does is not fed further.
 * @throws what the source of the input throws; the command is ended then
 */
export async function runWithInput(
  command: LiveCommand,
  input: CommandInput,
): Promise<CommandResult> {
  await using running = command;
  const ended = running.wait();
  const fed = running.sendStdin(input).then(() => running.closeStdin());
  // Only its failure counts: the end of the input is not the end of the command.
  return await Promise.race([ended, fed.then(() => ended)]);
}
