import { type Command, Option } from 'commander';
import type { CommandObject, CommandStatus } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { printJson } from '../output/print.ts';
import { shellWord } from '../output/shell-word.ts';
import { printTable } from '../output/table.ts';
import { formatAge, formatBytes } from '../output/units.ts';
import { shortId } from './exec/find-command.ts';
import { withSandbox } from './sandbox-action.ts';

const longestLine = 60;

/** Commands that go on by themselves. */
export function addPs(program: Command): void {
  const command = program
    .command('ps')
    .description('list the commands and terminals that go on by themselves, oldest first')
    .argument('<sandbox>', 'name or id')
    .addOption(
      new Option('--status <status>', 'only in this state').choices(['running', 'ended', 'lost']),
    )
    .addHelpText(
      'after',
      `
Those that were detached or left, and for a day those that have ended. "lost" went with the
processes of the sandbox. Processes as such: \`sandport exec box ps\`.

Examples:
  sandport ps box
  sandport ps --status running --json box | jq -r '.[].id'`,
    );
  addClientFlags(command).action((box: string, flags: { status?: CommandStatus }, self: Command) =>
    withSandbox(self, box, async (sandbox, { json, signal }) => {
      const found = await sandbox.commands.list({ ...flags, signal });
      if (json) {
        printJson(found.map(({ info }) => info));
        return;
      }
      printTable(
        ['ID', 'STATUS', 'AGE', 'OUTPUT', 'USER', 'COMMAND'],
        found.map(({ info }) => row(info)),
        'No commands; `sandport exec -d` starts one.',
      );
    }),
  );
}

const row = (info: CommandObject) => [
  shortId(info.id),
  info.tty ? `${statusText(info)}, tty` : statusText(info),
  formatAge(Date.now() - Date.parse(info.started_at)),
  formatBytes(info.stdout_bytes + info.stderr_bytes),
  info.user,
  lineOf(info),
];

/** `running`, `lost`, or how it ended: `exit 0`, `SIGKILL`. */
function statusText({ status, exit_code, signal }: CommandObject): string {
  return status === 'ended' ? (signal ?? `exit ${exit_code ?? '?'}`) : status;
}

function lineOf({ cmd, args, shortened }: CommandObject): string {
  const line = cmd ?? (args ?? []).map(shellWord).join(' ');
  return line.length > longestLine || shortened === true
    ? `${line.slice(0, longestLine - 1)}…`
    : line;
}
