import { type Command, Option } from 'commander';
import { addClientFlags } from '../../client-flags.ts';
import { entryJson } from '../../output/entry-json.ts';
import { LineWriter } from '../../output/print.ts';
import { parseRemoteOrRoot } from '../../parse/copy-place.ts';
import { count } from '../../parse/values.ts';
import { entryTypes } from './entry-types.ts';
import { withFiles } from './fs-context.ts';

interface FindFlags {
  type?: keyof typeof entryTypes;
  depth?: number;
  hidden: boolean;
  print0?: boolean;
}

export function addFsFind(fs: Command): void {
  const command = fs
    .command('find')
    .description('find files below a directory by name')
    .argument('<path>', 'BOX:/path')
    .argument('[glob]', '*, ?, [a-z], {a,b}; with a slash: the path below; ** for directories')
    .addOption(new Option('--type <type>', 'only of this type').choices(Object.keys(entryTypes)))
    .option('--depth <levels>', 'so many levels', count)
    .option('--no-hidden', 'without names that begin with a dot, and what is below such')
    .option(
      '-0, --print0',
      'paths as they are, with a NUL byte after each; what is not UTF-8 in one comes as U+FFFD',
    )
    .addHelpText(
      'after',
      `
Examples:
  sandport fs find box:/workspace '*.py'
  sandport fs find box:/workspace 'src/**/test_*' --type f
  sandport fs find --json box:/workspace '*.log'     (one object a line)`,
    );
  addClientFlags(command).action(
    async (text: string, glob: string | undefined, flags: FindFlags, self: Command) => {
      const place = parseRemoteOrRoot(text);
      await withFiles(self, async (context) => {
        const filesystem = await context.files(place);
        const type = flags.type === undefined ? undefined : entryTypes[flags.type];
        const { depth, hidden } = flags;
        const which = { recursive: true, glob, type, depth, hidden, signal: context.signal };
        await using out = new LineWriter();
        for await (const entry of filesystem.entries(place.path, which)) {
          if (context.json) await out.json(entryJson(entry));
          else if (flags.print0 === true) await out.raw(`${entry.path}\0`);
          else await out.line(entry.path);
        }
      });
    },
  );
}
