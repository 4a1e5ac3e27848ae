import type { CommandEnd } from 'sandport';
import { printNote } from '../../output/print.ts';

/** Says on standard error what the exit code does not. @returns the exit code */
export function tellEnd({ woke, timedOut, oomKilled, exitCode }: CommandEnd): number {
  if (woke === 'disk') {
    printNote('sandport: the sandbox was asleep, and began afresh from its disk.');
  }
  if (timedOut) printNote('sandport: the command ran out of time and was ended.');
  else if (oomKilled) printNote('sandport: the command ran out of memory and was ended.');
  return exitCode;
}
