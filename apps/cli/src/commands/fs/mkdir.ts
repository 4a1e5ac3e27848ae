import type { Command } from 'commander';
import { addClientFlags } from '../../client-flags.ts';
import { printJson } from '../../output/print.ts';
import { parseRemotePlace } from '../../parse/copy-place.ts';
import { octalMode } from '../../parse/mode.ts';
import type { SetExitCode } from '../../program.ts';
import { forEachPlace, withFiles } from './fs-context.ts';

export function addFsMakeDirectory(fs: Command, setExitCode: SetExitCode): void {
  const command = fs
    .command('mkdir')
    .description('make directories and their parents; no error for one that is there')
    .argument('<path...>', 'BOX:/path')
    .option('-m, --mode <bits>', 'permission bits in octal (0755)', octalMode)
    .option('-p, --parents', 'allowed, and means nothing: parents are always made')
    .addHelpText('after', '\nExample:\n  sandport fs mkdir -m 700 box:/workspace/private/keys');
  addClientFlags(command).action(
    async (paths: string[], { mode }: { mode?: number }, self: Command) => {
      const places = paths.map(parseRemotePlace);
      await withFiles(self, async (context) => {
        const made: string[] = [];
        await forEachPlace(places, setExitCode, async (place) => {
          const filesystem = await context.files(place);
          await filesystem.makeDirectory(place.path, { mode, signal: context.signal });
          made.push(place.path);
        });
        if (context.json) printJson(made);
      });
    },
  );
}
