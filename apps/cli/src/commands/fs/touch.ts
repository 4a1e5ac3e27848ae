import type { Command } from 'commander';
import type { FileInfo } from 'sandport';
import { addClientFlags } from '../../client-flags.ts';
import { entryJson } from '../../output/entry-json.ts';
import { printJson } from '../../output/print.ts';
import { parseRemotePlace } from '../../parse/copy-place.ts';
import { pointInTime } from '../../parse/values.ts';
import type { SetExitCode } from '../../program.ts';
import { forEachPlace, withFiles } from './fs-context.ts';

interface TouchFlags {
  date?: Date;
  create: boolean;
}

export function addFsTouch(fs: Command, setExitCode: SetExitCode): void {
  const command = fs
    .command('touch')
    .description('set the time of the last change; make an empty file where nothing is')
    .argument('<path...>', 'BOX:/path')
    .option('-d, --date <time>', 'as 1700000000 or 2026-01-31T12:00:00Z (now)', pointInTime)
    .option('-c, --no-create', 'make no file')
    .addHelpText('after', '\nExample:\n  sandport fs touch -d 2026-01-31 box:/workspace/stamp');
  addClientFlags(command).action(async (paths: string[], flags: TouchFlags, self: Command) => {
    const places = paths.map(parseRemotePlace);
    await withFiles(self, async (context) => {
      const entries: FileInfo[] = [];
      const how = { mtime: flags.date, create: flags.create, signal: context.signal };
      await forEachPlace(places, setExitCode, async (place) => {
        entries.push(await (await context.files(place)).touch(place.path, how));
      });
      if (context.json) printJson(entries.map(entryJson));
    });
  });
}
