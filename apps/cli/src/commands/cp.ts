import type { Command } from 'commander';
import { addClientFlags, clientFlags, clientOf } from '../client-flags.ts';
import { runCopy } from '../copy/run-copy.ts';
import { Holders } from '../copy/holders.ts';
import { addTreeFlags, type TreeFlags, treeOptions } from '../copy/tree-flags.ts';
import { interruptible } from '../interrupt.ts';
import { noteSkipped } from '../output/note-skipped.ts';
import { printJson } from '../output/print.ts';
import { progressLine } from '../output/progress.ts';
import { wireJson } from '../output/wire-json.ts';
import { parseCopyPlace } from '../parse/copy-place.ts';
import { UsageError } from '../usage-error.ts';

interface CopyFlags extends TreeFlags {
  compress?: boolean;
  quiet?: boolean;
}

export function addCopy(program: Command): void {
  const command = program
    .command('cp')
    .description(
      'copy files and directories into a sandbox or a volume, out of it, or between them',
    )
    .usage('[options] <source...> <target>')
    .argument(
      '<paths...>',
      'LOCAL, BOX:/path, volume:NAME:/path, or - for standard input and output',
    )
    .option('-r, --recursive', 'allowed, and means nothing: directories need no option')
    .option('-z, --compress', 'send directories compressed, for slow networks')
    .option('-q, --quiet', 'no progress and no notes')
    .addHelpText('after', help);
  addClientFlags(addTreeFlags(command)).action(
    async (paths: string[], flags: CopyFlags, self: Command) => {
      const common = clientFlags(self);
      const { json = false } = common;
      const { quiet = false } = flags;
      const places = paths.map(parseCopyPlace);
      const target = places.pop();
      if (target === undefined || places.length === 0) {
        throw new UsageError('The target is missing: sandport cp SOURCE... TARGET.');
      }
      const compression = flags.compress === true ? 'gzip' : 'none';
      const options = { ...(await treeOptions(flags)), compression, count: json } as const;
      const begun = performance.now();
      const counts = await interruptible(async (signal) => {
        using progress = progressLine({ quiet });
        const holders = new Holders(clientOf(common), signal);
        return await runCopy(places, target, { holders, options, progress, signal });
      });
      if (json && target.kind !== 'standard') {
        const durationMs = Math.round(performance.now() - begun);
        printJson(wireJson({ path: target.path, ...counts, durationMs }));
      } else if (!quiet) noteSkipped(counts);
    },
  );
}

const help = `
A target that is a directory, or ends with /, takes a source under its own name; else the target is
its new name. A source directory that ends with /. gives what is in it. Missing parent directories
are made, and a directory that is there is merged. Each file is replaced at once when all its bytes
have come, or not at all. Modes, times, links and empty directories of a directory are kept.

Examples:
  sandport cp data.csv notes.md box:/workspace/
  sandport cp ./project box:/workspace              (makes /workspace/project)
  sandport cp ./project/. box:/workspace            (what is in it)
  sandport cp --exclude node_modules ./project box:/workspace/
  sandport cp box:/workspace/out results
  sandport cp box:/workspace/model.bin other:/workspace/
  sandport cp ./models/. volume:models:/            (a volume needs no sandbox)
  pg_dump db | sandport cp - box:/workspace/db.sql
  sandport cp box:/var/log/app.log - | less`;
