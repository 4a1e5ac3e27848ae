import type { Command } from 'commander';
import { addClientFlags } from '../../client-flags.ts';
import { printJson } from '../../output/print.ts';
import { parseRemotePlace } from '../../parse/copy-place.ts';
import { parseOwner } from '../../parse/owner.ts';
import type { SetExitCode } from '../../program.ts';
import { forEachPlace, withFiles } from './fs-context.ts';

interface ChownFlags {
  recursive?: boolean;
  follow: boolean;
}

export function addFsChown(fs: Command, setExitCode: SetExitCode): void {
  const command = fs
    .command('chown')
    .description('set owner and group')
    .argument('<owner>', 'USER, USER:GROUP or :GROUP; numbers, or names in the sandbox')
    .argument('<path...>', 'BOX:/path')
    .option('-R, --recursive', 'with all that is below; symlinks there are not followed')
    .option('--no-follow', 'of a symlink itself')
    .addHelpText('after', '\nExample:\n  sandport fs chown -R user:user box:/workspace/project');
  addClientFlags(command).action(
    async (text: string, paths: string[], flags: ChownFlags, self: Command) => {
      const owner = parseOwner(text);
      const places = paths.map(parseRemotePlace);
      const { recursive = false, follow: followSymlinks } = flags;
      await withFiles(self, async (context) => {
        const results: unknown[] = [];
        const how = { recursive, followSymlinks, signal: context.signal };
        await forEachPlace(places, setExitCode, async (place) => {
          const changed = await (await context.files(place)).chown(place.path, owner, how);
          results.push({ path: place.path, changed });
        });
        if (context.json) printJson(results);
      });
    },
  );
}
