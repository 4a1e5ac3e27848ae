import { type Command, Option } from 'commander';
import type { CommandHandle, OutputStream } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { count } from '../parse/values.ts';
import { findCommand } from './exec/find-command.ts';
import { OutputWriter } from './exec/output-writer.ts';
import { withSandbox } from './sandbox-action.ts';

interface LogsFlags {
  follow?: boolean;
  since: number;
  stream?: OutputStream;
}

const pageBytes = 1024 * 1024;

/** What a command that goes on by itself has written. */
export function addLogs(program: Command): void {
  const command = program
    .command('logs')
    .alias('command-logs')
    .description('print what a command that goes on by itself has written')
    .argument('<sandbox>', 'name or id')
    .argument('<id>', 'of the command, or its first digits')
    .option('-f, --follow', 'go on until the command ends, or Ctrl-C, which leaves it running')
    .option('--since <bytes>', 'leave out so many bytes from the start of each stream', count, 0)
    .addOption(new Option('--stream <stream>', 'only this one').choices(['stdout', 'stderr']))
    .addHelpText(
      'after',
      `
stdout goes to standard output and stderr to standard error. Without --follow all of stdout comes
before stderr. --json prints an object a piece, with its offset: where the next --since can begin. A
connection that breaks is made again, and nothing is missed.

Examples:
  sandport logs box 3f2a
  sandport logs -f box 3f2a
  sandport logs --since 100000 --stream stdout --json box 3f2a`,
    );
  addClientFlags(command).action(
    (box: string, id: string, { follow, since, stream }: LogsFlags, self: Command) =>
      withSandbox(self, box, async (sandbox, { json, signal }) => {
        await using handle = await findCommand(sandbox, id, { since, signal });
        const writer = new OutputWriter({ json, stream });
        if (follow !== true) {
          await printKept(handle, writer, { since, signal });
          return;
        }
        const stop = () => void handle.disconnect(signal.reason);
        signal.addEventListener('abort', stop, { once: true });
        await writer.follow(handle);
      }),
  );
}

/** What has been written until now. */
async function printKept(
  handle: CommandHandle,
  writer: OutputWriter,
  { since, signal }: { readonly since: number; readonly signal: AbortSignal },
): Promise<void> {
  const { info } = handle;
  const ends = { stdout: info.stdout_bytes, stderr: info.stderr_bytes };
  for (const stream of ['stdout', 'stderr'] as const) {
    if (!writer.wants(stream)) continue;
    let at = since;
    while (at < ends[stream]) {
      const limit = Math.min(pageBytes, ends[stream] - at);
      const { bytes, offset, nextOffset } = await handle.output({
        stream,
        since: at,
        limit,
        signal,
      });
      writer.gap(stream, at, offset);
      await writer.write(stream, bytes, offset);
      if (nextOffset <= at) break;
      at = nextOffset;
    }
  }
}
