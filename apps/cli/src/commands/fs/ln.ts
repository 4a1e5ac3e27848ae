import type { Command } from 'commander';
import { addClientFlags } from '../../client-flags.ts';
import { entryJson } from '../../output/entry-json.ts';
import { printJson } from '../../output/print.ts';
import { parseRemotePlace } from '../../parse/copy-place.ts';
import { withFiles } from './fs-context.ts';

export function addFsLink(fs: Command): void {
  const command = fs
    .command('ln')
    .description('make a symbolic link')
    .argument('<target>', 'text of the link: a path in the sandbox, absolute or from the link')
    .argument('<link>', 'BOX:/path')
    .option('-s, --symbolic', 'allowed, and means nothing: links are symbolic')
    .option('-f, --force', 'replace a file or link that is there')
    .addHelpText('after', '\nExample:\n  sandport fs ln -sf releases/42 box:/srv/current');
  addClientFlags(command).action(
    async (target: string, link: string, flags: { force?: boolean }, self: Command) => {
      const place = parseRemotePlace(link);
      await withFiles(self, async (context) => {
        const filesystem = await context.files(place);
        const how = { overwrite: flags.force === true, signal: context.signal };
        const entry = await filesystem.symlink(place.path, target, how);
        if (context.json) printJson(entryJson(entry));
      });
    },
  );
}
