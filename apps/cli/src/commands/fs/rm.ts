import type { Command } from 'commander';
import { SandportError } from 'sandport';
import { addClientFlags } from '../../client-flags.ts';
import { printJson } from '../../output/print.ts';
import { parseRemotePlace, type RemotePlace } from '../../parse/copy-place.ts';
import type { SetExitCode } from '../../program.ts';
import { UsageError } from '../../usage-error.ts';
import { forEachPlace, type FsContext, withFiles } from './fs-context.ts';

interface RemoveFlags {
  recursive?: boolean;
  force?: boolean;
}

export function addFsRemove(fs: Command, setExitCode: SetExitCode): void {
  const command = fs
    .command('rm')
    .description('remove files, symlinks (never their targets) and directories')
    .argument('<path...>', 'BOX:/path')
    .option('-r, --recursive', 'directories with all that is in them')
    .option('-f, --force', 'no error for what does not exist')
    .addHelpText(
      'after',
      `
Examples:
  sandport fs rm box:/workspace/old.csv
  sandport fs rm -rf box:/workspace/build`,
    );
  addClientFlags(command).action(async (paths: string[], flags: RemoveFlags, self: Command) => {
    const places = paths.map(parseRemotePlace);
    await withFiles(self, async (context) => {
      const removed: string[] = [];
      await forEachPlace(places, setExitCode, async (place) => {
        await remove(place, flags, context);
        removed.push(place.path);
      });
      if (context.json) printJson(removed);
    });
  });
}

async function remove(place: RemotePlace, flags: RemoveFlags, context: FsContext): Promise<void> {
  const { recursive = false, force = false } = flags;
  const filesystem = await context.files(place);
  const how = { recursive, mustExist: !force, signal: context.signal };
  try {
    await filesystem.remove(place.path, how);
  } catch (error) {
    if (error instanceof SandportError && error.code === 'directory_not_empty' && !recursive) {
      throw new UsageError(
        `${place.path} is a directory with entries: add -r to remove it with all that is in it.`,
        { cause: error },
      );
    }
    throw error;
  }
}
