import type { Command } from 'commander';
import type { SearchResult } from 'sandport';
import { addClientFlags } from '../../client-flags.ts';
import { exitCodeOf } from '../../exit-codes.ts';
import { noteLeftOut } from '../../output/note-left-out.ts';
import { LineWriter, printNote } from '../../output/print.ts';
import { searchLines } from '../../output/search-lines.ts';
import { parseRemoteOrRoot } from '../../parse/copy-place.ts';
import { count, positiveInteger, several } from '../../parse/values.ts';
import { printError } from '../../print-error.ts';
import type { SetExitCode } from '../../program.ts';
import { Interrupted } from '../../usage-error.ts';
import { forEachPlace, withFiles } from './fs-context.ts';

interface GrepFlags {
  regex?: boolean;
  ignoreCase?: boolean;
  include?: string[];
  exclude?: string[];
  hidden: boolean;
  context?: number;
  filesWithMatches?: boolean;
  maxMatches?: number;
}

/** Nothing matched, as with grep. */
const noMatch = 1;
/** What otherwise ends with 1, as with grep. */
const failure = 2;

export function addFsGrep(fs: Command, setExitCode: SetExitCode): void {
  const command = fs
    .command('grep')
    .description('find lines that hold a text')
    .argument('<pattern>', 'a text; with -E a regular expression in RE2 syntax')
    .argument('<path...>', 'BOX:/path of a file, or of a directory with all below it')
    .option('-E, --regex', 'the pattern is a regular expression')
    .option('-i, --ignore-case', 'without regard to case')
    .option('--include <glob>', 'only in files that match; can be repeated', several)
    .option('--exclude <glob>', 'not in these files and directories; can be repeated', several)
    .option('--no-hidden', 'not in files that begin with a dot')
    .option('-C, --context <lines>', 'lines before and after, up to 10', count)
    .option('-l, --files-with-matches', 'only the paths of the files')
    .option('-m, --max-matches <count>', 'most lines, up to 10000 (1000)', positiveInteger)
    .addHelpText(
      'after',
      `
Lines come as path:line:text. Binary files, and files over 64 MiB, are left out. Ends with 1 when
nothing matches, and with 2 where other commands end with 1.

Examples:
  sandport fs grep TODO box:/workspace --include '*.py'
  sandport fs grep -E -i 'error|warn(ing)?' box:/var/log -C 2
  sandport fs grep --json main box:/workspace | jq -r .path      (one object a line)`,
    );
  addClientFlags(command).action(
    async (pattern: string, paths: string[], flags: GrepFlags, self: Command) => {
      const places = paths.map(parseRemoteOrRoot);
      await withFiles(self, async (context) => {
        let matched = false;
        let failed = false;
        await using out = new LineWriter();
        const fail = (code: number) => {
          failed = true;
          setExitCode(code === noMatch ? failure : code);
        };
        await forEachPlace(places, fail, async (place) => {
          const filesystem = await context.files(place);
          const how = { ...searchOptions(flags), signal: context.signal };
          const result = await filesystem.search(pattern, { path: place.path, ...how });
          matched ||= result.matches.length > 0;
          if (context.json) for (const match of result.matches) await out.json(match);
          else if (flags.filesWithMatches === true) {
            for (const path of new Set(result.matches.map((each) => each.path)))
              await out.line(path);
          } else for (const line of searchLines(result.matches)) await out.raw(`${line}\n`);
          await out.flush();
          noteIncomplete(result);
        }).catch((error: unknown) => {
          if (error instanceof Interrupted || exitCodeOf(error) !== noMatch) throw error;
          printError(error);
          fail(noMatch);
        });
        if (!matched && !failed) setExitCode(noMatch);
      });
    },
  );
}

function searchOptions(flags: GrepFlags) {
  const { regex, include, exclude, hidden, context, maxMatches } = flags;
  const caseSensitive = flags.ignoreCase !== true;
  return { regex, include, exclude, hidden, caseSensitive, contextLines: context, maxMatches };
}

function noteIncomplete({ truncated, filesSkipped }: SearchResult): void {
  if (truncated) {
    printNote('sandport: there is more: the search ended at its limit of lines or time');
  }
  noteLeftOut(filesSkipped, 64);
}
