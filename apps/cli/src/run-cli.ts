import { CommanderError } from 'commander';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { printError } from './print-error.ts';
import { createProgram } from './program.ts';
import { Interrupted } from './usage-error.ts';

/**
 * Runs one command line.
 * @param args without the program's own name
 * @returns the exit code
 */
export async function runCli(args: readonly string[]): Promise<number> {
  let exitCode: number = exitCodes.ok;
  try {
    const program = await createProgram(args, (code) => {
      exitCode = code;
    });
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Help and version end this way too, with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
    if (error instanceof Interrupted) return exitCodes.interrupted;
    printError(error);
    return exitCodeOf(error);
  }
}
