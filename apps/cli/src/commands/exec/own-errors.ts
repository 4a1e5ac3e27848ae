import { exitCodes } from '../../exit-codes.ts';
import { printError } from '../../print-error.ts';
import type { SetExitCode } from '../../program.ts';
import { Interrupted } from '../../usage-error.ts';

/**
 * Runs work that gives the exit code of a command in a sandbox; what fails on this side of it has a
 * code of its own.
 */
export async function withExitCode(
  setExitCode: SetExitCode,
  work: () => Promise<number>,
): Promise<void> {
  try {
    setExitCode(await work());
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    printError(error);
    setExitCode(exitCodes.notRun);
  } finally {
    // What it was not given is left unread.
    process.stdin.destroy();
  }
}
