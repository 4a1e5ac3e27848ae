import type { Command } from 'commander';
import type { FileChange } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { LineWriter, printNote } from '../output/print.ts';
import { formatBytes } from '../output/units.ts';
import { wireJson } from '../output/wire-json.ts';
import { inSandbox, parseRemoteOrRoot } from '../parse/copy-place.ts';
import type { SetExitCode } from '../program.ts';
import { UsageError } from '../usage-error.ts';
import { withFiles } from './fs/fs-context.ts';

interface DiffFlags {
  exitCode?: boolean;
  quiet?: boolean;
}

/** Something differs, with `--exit-code`. */
const differs = 1;

export function addDiff(program: Command, setExitCode: SetExitCode): void {
  const command = program
    .command('diff')
    .description('what differs between a sandbox and its template')
    .argument('<sandbox>', 'name or id, or BOX:/path')
    .argument('[path]', 'only at and below this path')
    .option('--exit-code', 'end with 1 when something differs')
    .option('-q, --quiet', 'no summary')
    .addHelpText(
      'after',
      `
One line a change: A added, M modified, D deleted; the path; the size of what is no directory. Of a
deleted directory only itself is told. Volumes are not part of it.

Examples:
  sandport diff box
  sandport diff box /etc
  sandport diff --json box | jq -r 'select(.change == "added") | .path'     (one object a line)`,
    );
  addClientFlags(command).action(
    async (box: string, path: string | undefined, flags: DiffFlags, self: Command) => {
      const named = inSandbox(parseRemoteOrRoot(box));
      if (path !== undefined && box.includes(':')) {
        throw new UsageError('The path is given twice: write BOX /path, or BOX:/path.');
      }
      const place = { ...named, path: path ?? named.path };
      await withFiles(self, async (context) => {
        const { signal, json } = context;
        const filesystem = await context.files(place);
        const counts = { added: 0, modified: 0, deleted: 0 };
        await using out = new LineWriter();
        for await (const change of filesystem.changeEntries({ path: place.path, signal })) {
          counts[change.change] += 1;
          if (json) await out.json(wireJson(change));
          else await out.line(describeChange(change));
        }
        await out.flush();
        const { added, modified, deleted } = counts;
        if (flags.exitCode === true && added + modified + deleted > 0) setExitCode(differs);
        if (json || flags.quiet === true) return;
        printNote(`${added} added, ${modified} modified, ${deleted} deleted`);
      });
    },
  );
}

/** `A /path  12 B`: one change as `docker diff` shows it, with its size. */
export function describeChange({ change, path, type, size, previousSize }: FileChange): string {
  const letter = { added: 'A', modified: 'M', deleted: 'D' }[change];
  if (type === 'directory') return `${letter} ${path}/`;
  const now = formatBytes(size);
  const before = previousSize === undefined ? now : formatBytes(previousSize);
  return `${letter} ${path}  ${before === now ? now : `${before} -> ${now}`}`;
}
