import type { Command } from 'commander';
import type { WatchEvent } from 'sandport';
import { addClientFlags } from '../../client-flags.ts';
import { LineWriter, printNote } from '../../output/print.ts';
import { wireJson } from '../../output/wire-json.ts';
import { parseRemoteOrRoot } from '../../parse/copy-place.ts';
import { withFiles } from './fs-context.ts';

export function addFsWatch(fs: Command): void {
  const command = fs
    .command('watch')
    .description('tell what changes in a directory, until Ctrl-C')
    .argument('<path>', 'BOX:/path')
    .option('--no-recursive', 'not what is in directories below')
    .addHelpText(
      'after',
      `
One line a change: created, modified, removed, or renamed with the path before. "resync" says that
changes were lost: look at everything again.

Examples:
  sandport fs watch box:/workspace
  sandport fs watch --json box:/workspace | jq -r 'select(.type == "created") | .path'`,
    );
  addClientFlags(command).action(
    async (text: string, flags: { recursive: boolean }, self: Command) => {
      const place = parseRemoteOrRoot(text);
      await withFiles(self, async (context) => {
        const filesystem = await context.files(place);
        const { recursive } = flags;
        const how = { recursive, signal: context.signal };
        await using events = await filesystem.watch(place.path, how);
        if (!context.json) printNote(`Watching ${place.holder}:${place.path}; Ctrl-C ends it.`);
        await using out = new LineWriter();
        for await (const event of events) {
          if (context.json) await out.json(wireJson(event));
          else await out.line(describeEvent(event));
          await out.flush();
        }
      });
    },
  );
}

/** `created /path`, `renamed /old -> /new`; a directory ends with a slash. */
export function describeEvent(event: WatchEvent): string {
  if (event.type === 'resync') return `resync (${event.reason.replaceAll('_', ' ')})`;
  const slash = event.fileType === 'directory' ? '/' : '';
  const from = event.type === 'renamed' ? `${event.from}${slash} -> ` : '';
  return `${event.type.padEnd(8)}  ${from}${event.path}${slash}`;
}
