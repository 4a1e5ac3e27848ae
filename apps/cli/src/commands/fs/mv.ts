import type { Command } from 'commander';
import { addClientFlags } from '../../client-flags.ts';
import { copyInside, type InsideStep, planInside } from '../../copy/copy-inside.ts';
import { printJson } from '../../output/print.ts';
import { parseRemotePlace, type RemotePlace } from '../../parse/copy-place.ts';
import { UsageError } from '../../usage-error.ts';
import { type FsContext, withFiles } from './fs-context.ts';

interface TransferFlags {
  clobber: boolean;
}

export function addFsMove(fs: Command): void {
  addTransfer(fs, 'mv', 'move or rename files and directories within a sandbox').action(
    async (paths: string[], { clobber }: TransferFlags, self: Command) => {
      await withFiles(self, async (context) => {
        const { filesystem, steps } = await plan(paths, context, { followSymlinks: false });
        const { signal } = context;
        for (const { from, to } of steps) {
          await filesystem.move(from, to, { overwrite: clobber, signal });
        }
        if (context.json) printJson(steps);
      });
    },
  );
}

export function addFsCopy(fs: Command): void {
  addTransfer(fs, 'cp', 'copy files and directories within a sandbox')
    .option('-r, --recursive', 'allowed, and means nothing: directories need no option')
    .action(async (paths: string[], { clobber }: TransferFlags, self: Command) => {
      await withFiles(self, async (context) => {
        const { filesystem, steps } = await plan(paths, context, { followSymlinks: true });
        const { signal } = context;
        await copyInside(filesystem, steps, { overwrite: clobber, signal });
        if (context.json) printJson(steps);
      });
    });
}

function addTransfer(fs: Command, name: 'mv' | 'cp', description: string): Command {
  return addClientFlags(
    fs
      .command(name)
      .description(description)
      .usage('[options] <source...> <target>')
      .argument('<paths...>', 'BOX:/path')
      .option('-n, --no-clobber', 'an error instead of replacing a file that is there')
      .addHelpText(
        'after',
        `
A target that is a directory, or ends with /, takes a source under its own name. Missing parent
directories are made.

Examples:
  sandport fs ${name} box:/workspace/a.txt box:/workspace/b.txt
  sandport fs ${name} box:/workspace/one box:/workspace/two box:/workspace/both/`,
      ),
  );
}

async function plan(
  paths: readonly string[],
  context: FsContext,
  options: { readonly followSymlinks: boolean },
) {
  const places = paths.map(parseRemotePlace);
  const target = places.pop();
  if (target === undefined || places.length === 0) {
    throw new UsageError('The target is missing: write SOURCE... TARGET, each as BOX:/path.');
  }
  const filesystem = await filesOfAll(places, target, context);
  const { signal } = context;
  const steps: InsideStep[] = await planInside(filesystem, places, target, { signal, ...options });
  return { filesystem, steps };
}

async function filesOfAll(
  places: readonly RemotePlace[],
  target: RemotePlace,
  { holders }: FsContext,
) {
  const into = await holders.get(target.holder);
  for (const { holder } of places) {
    if ((await holders.get(holder)).id !== into.id) {
      throw new UsageError('These are not in one place: copy between them with `sandport cp`.');
    }
  }
  return into.filesystem;
}
