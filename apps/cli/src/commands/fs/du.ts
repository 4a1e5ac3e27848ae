import type { Command } from 'commander';
import type { DiskUsage } from 'sandport';
import { addClientFlags } from '../../client-flags.ts';
import { printJson } from '../../output/print.ts';
import { printTable } from '../../output/table.ts';
import { formatBytes } from '../../output/units.ts';
import { wireJson } from '../../output/wire-json.ts';
import { parseRemoteOrRoot } from '../../parse/copy-place.ts';
import type { SetExitCode } from '../../program.ts';
import { forEachPlace, withFiles } from './fs-context.ts';

export function addFsDiskUsage(fs: Command, setExitCode: SetExitCode): void {
  const command = fs
    .command('du')
    .description('how much files and directories hold')
    .argument('<path...>', 'BOX:/path')
    .option('--bytes', 'sizes in exact bytes')
    .addHelpText(
      'after',
      `
SIZE is the sum of the lengths of files, DISK what they take on the disk.

Example:
  sandport fs du box:/workspace box:/home`,
    );
  addClientFlags(command).action(
    async (paths: string[], flags: { bytes?: boolean }, self: Command) => {
      const places = paths.map(parseRemoteOrRoot);
      await withFiles(self, async (context) => {
        const { signal, json } = context;
        const usages: DiskUsage[] = [];
        await forEachPlace(places, setExitCode, async (place) => {
          usages.push(await (await context.files(place)).diskUsage(place.path, { signal }));
        });
        if (json) return printJson(wireJson(usages));
        const size = (bytes: number) => (flags.bytes === true ? String(bytes) : formatBytes(bytes));
        const rows = usages.map((each) => [
          size(each.sizeBytes),
          size(each.diskBytes),
          String(each.files),
          String(each.directories),
          each.path,
        ]);
        if (rows.length > 0) printTable(['SIZE', 'DISK', 'FILES', 'DIRECTORIES', 'PATH'], rows, '');
      });
    },
  );
}
