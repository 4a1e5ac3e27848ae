import type { Command } from 'commander';
import type { ReplaceResult } from 'sandport';
import { addClientFlags } from '../../client-flags.ts';
import { exitCodes } from '../../exit-codes.ts';
import { noteLeftOut } from '../../output/note-left-out.ts';
import { printJson, printLine, printNote } from '../../output/print.ts';
import { wireJson } from '../../output/wire-json.ts';
import { parseRemoteOrRoot } from '../../parse/copy-place.ts';
import { several } from '../../parse/values.ts';
import type { SetExitCode } from '../../program.ts';
import { withFiles } from './fs-context.ts';

interface ReplaceFlags {
  regex?: boolean;
  ignoreCase?: boolean;
  include?: string[];
  exclude?: string[];
  hidden: boolean;
  dryRun?: boolean;
}

export function addFsReplace(fs: Command, setExitCode: SetExitCode): void {
  const command = fs
    .command('replace')
    .description('replace a text in files; each file at once, or not at all')
    .argument('<pattern>', 'a text; with -E a regular expression in RE2 syntax')
    .argument('<replacement>', 'with -E $1 and ${name} stand for groups, $$ for a dollar sign')
    .argument('<path>', 'BOX:/path of a file, or of a directory with all below it')
    .option('-E, --regex', 'the pattern is a regular expression')
    .option('-i, --ignore-case', 'without regard to case')
    .option('--include <glob>', 'only in files that match; can be repeated', several)
    .option('--exclude <glob>', 'not in these files and directories; can be repeated', several)
    .option('--no-hidden', 'not in files that begin with a dot')
    .option('-n, --dry-run', 'only tell what would change')
    .addHelpText(
      'after',
      `
Examples:
  sandport fs replace --dry-run old_name new_name box:/workspace --include '*.py'
  sandport fs replace -E '(\\w+)@old\\.org' '$1@new.org' box:/workspace/users.csv`,
    );
  addClientFlags(command).action(
    async (
      pattern: string,
      replacement: string,
      path: string,
      flags: ReplaceFlags,
      self: Command,
    ) => {
      const place = parseRemoteOrRoot(path);
      await withFiles(self, async (context) => {
        const filesystem = await context.files(place);
        const { regex, include, exclude, hidden, dryRun = false } = flags;
        const which = { regex, include, exclude, hidden, caseSensitive: flags.ignoreCase !== true };
        const how = { path: place.path, ...which, dryRun, signal: context.signal };
        const result = await filesystem.replace(pattern, replacement, how);
        if (result.files.some(({ error }) => error !== undefined)) setExitCode(exitCodes.failed);
        if (context.json) printJson(wireJson(result));
        else print(result, dryRun);
      });
    },
  );
}

function print(result: ReplaceResult, dryRun: boolean): void {
  for (const { path, replacements, error } of result.files) {
    if (error === undefined) printLine(`${path}: ${replacements}`);
    else printNote(`sandport: ${path} is unchanged: ${error}`);
  }
  const { filesChanged, replacements, truncated } = result;
  const files = `${filesChanged} ${filesChanged === 1 ? 'file' : 'files'}`;
  const places = `${replacements} ${replacements === 1 ? 'place' : 'places'}`;
  printNote(dryRun ? `${places} in ${files} would change` : `${places} in ${files} changed`);
  noteLeftOut(result.filesSkipped, 16);
  if (truncated) printNote('sandport: not all files were looked at; name a smaller directory');
}
