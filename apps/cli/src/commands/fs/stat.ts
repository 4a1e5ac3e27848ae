import type { Command } from 'commander';
import type { FileInfo } from 'sandport';
import { addClientFlags } from '../../client-flags.ts';
import { entryJson } from '../../output/entry-json.ts';
import { letters } from '../../output/long-listing.ts';
import { printJson, printLine } from '../../output/print.ts';
import { formatBytes } from '../../output/units.ts';
import { parseRemotePlace } from '../../parse/copy-place.ts';
import type { SetExitCode } from '../../program.ts';
import { forEachPlace, withFiles } from './fs-context.ts';

export function addFsStat(fs: Command, setExitCode: SetExitCode): void {
  const command = fs
    .command('stat')
    .description('what is at a path')
    .argument('<path...>', 'BOX:/path')
    .option('--no-follow', 'of a symlink itself')
    .addHelpText('after', '\nExample:\n  sandport fs stat box:/etc/os-release');
  addClientFlags(command).action(
    async (paths: string[], flags: { follow: boolean }, self: Command) => {
      const places = paths.map(parseRemotePlace);
      await withFiles(self, async (context) => {
        const { signal, json } = context;
        await forEachPlace(places, setExitCode, async (place) => {
          const filesystem = await context.files(place);
          const how = { followSymlinks: flags.follow, signal };
          const entry = await filesystem.stat(place.path, how);
          if (json) return printJson(entryJson(entry));
          if (place !== places[0]) printLine('');
          for (const [name, value] of describe(entry))
            printLine(`${`${name}:`.padEnd(12)}${value}`);
        });
      });
    },
  );
}

/** Names and values of what people look for. */
function describe(entry: FileInfo): (readonly [string, string])[] {
  const { path, type, size, permissions, uid, gid, modifiedAt, symlinkTarget, etag } = entry;
  return [
    ['path', path],
    ['type', type],
    ['size', size < 1024 ? `${size} B` : `${formatBytes(size)} (${size} B)`],
    ['mode', `${permissions} (${letters(entry)})`],
    ['owner', `${uid}:${gid}`],
    ['modified', modifiedAt.toISOString()],
    ...(symlinkTarget === undefined ? [] : [['link to', symlinkTarget] as const]),
    ...(etag === undefined ? [] : [['etag', etag] as const]),
  ];
}
