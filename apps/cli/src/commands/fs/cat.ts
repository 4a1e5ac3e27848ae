import type { Command } from 'commander';
import { addClientFlags } from '../../client-flags.ts';
import { copyToStdout } from '../../copy/copy-standard.ts';
import { parseRemotePlace } from '../../parse/copy-place.ts';
import type { SetExitCode } from '../../program.ts';
import { forEachPlace, withFiles } from './fs-context.ts';

export function addFsCat(fs: Command, setExitCode: SetExitCode): void {
  const command = fs
    .command('cat')
    .description('write files to standard output, byte for byte')
    .argument('<path...>', 'BOX:/path')
    .addHelpText(
      'after',
      '\nExample:\n  sandport fs cat box:/workspace/a.log box:/workspace/b.log',
    );
  addClientFlags(command).action(async (paths: string[], _flags: unknown, self: Command) => {
    const places = paths.map(parseRemotePlace);
    await withFiles(self, (context) =>
      forEachPlace(places, setExitCode, async (place) => {
        await copyToStdout(place, context);
      }),
    );
  });
}
