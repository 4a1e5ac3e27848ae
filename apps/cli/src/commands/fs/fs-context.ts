import type { Command } from 'commander';
import type { Filesystem } from 'sandport';
import { clientFlags, clientOf } from '../../client-flags.ts';
import { Holders } from '../../copy/holders.ts';
import { exitCodeOf } from '../../exit-codes.ts';
import { interruptible } from '../../interrupt.ts';
import type { RemotePlace } from '../../parse/copy-place.ts';
import { printError } from '../../print-error.ts';
import type { SetExitCode } from '../../program.ts';
import { Interrupted } from '../../usage-error.ts';

/** What the file commands work with. */
export interface FsContext {
  /** Print JSON. */
  readonly json: boolean;
  readonly signal: AbortSignal;
  readonly holders: Holders;
  /** The files of the sandbox that a place is in. @throws NotFoundError */
  files(place: RemotePlace): Promise<Filesystem>;
}

/** Runs the work of a file command; Ctrl-C ends it cleanly. */
export async function withFiles(
  self: Command,
  work: (context: FsContext) => Promise<void>,
): Promise<void> {
  const common = clientFlags(self);
  await interruptible(async (signal) => {
    const holders = new Holders(clientOf(common), signal);
    const files = async ({ holder }: RemotePlace) => (await holders.get(holder)).filesystem;
    await work({ json: common.json === true, signal, holders, files });
  });
}

/**
 * Does the same for each of several places. What fails is told, gives the exit code, and does not
 * stop the rest.
 */
export async function forEachPlace(
  places: readonly RemotePlace[],
  setExitCode: SetExitCode,
  work: (place: RemotePlace) => Promise<void>,
): Promise<void> {
  for (const place of places) {
    try {
      await work(place);
    } catch (error) {
      if (error instanceof Interrupted || places.length === 1) throw error;
      printError(error);
      setExitCode(exitCodeOf(error));
    }
  }
}
