import type { Command } from 'commander';
import type { CommandLine, Sandbox } from 'sandport';
import { addClientFlags, clientFlags } from '../client-flags.ts';
import { printJson, printLine } from '../output/print.ts';
import type { SetExitCode } from '../program.ts';
import { ownSize } from '../terminal/own-terminal.ts';
import { UsageError } from '../usage-error.ts';
import { addCommandFlags, type CommandFlags, commandOptions } from './exec/command-flags.ts';
import { withExitCode } from './exec/own-errors.ts';
import { printResult } from './exec/print-result.ts';
import { runInTerminal } from './exec/run-in-terminal.ts';
import { runLive } from './exec/run-live.ts';
import { withSandbox } from './sandbox-action.ts';

interface ExecFlags extends CommandFlags {
  interactive?: boolean;
  tty?: boolean;
  detach?: boolean;
}

interface ExecContext {
  readonly box: string;
  readonly line: CommandLine;
  readonly flags: ExecFlags;
  readonly json: boolean;
  readonly sandbox: Sandbox;
  readonly signal: AbortSignal;
}

export function addExec(program: Command, setExitCode: SetExitCode): void {
  const command = addCommandFlags(
    program
      .command('exec')
      .description('run a command in a sandbox')
      .argument('<sandbox>', 'name or id')
      .argument('<command...>', 'one argument is a line for the shell, several run without one')
      .passThroughOptions(),
  )
    .option('-i, --interactive', 'give standard input to the command, as it comes')
    .option('-t, --tty', 'run it in a terminal, joined with this one')
    .option('-d, --detach', 'let it go on by itself, and print its id')
    .addHelpText(
      'after',
      `
Options stand before the sandbox. The exit code is that of the command, and 125 when it could not be
run. Ctrl-C interrupts the command, a second one ends it. With -t all keys go to the command, and
\`~.\` at the beginning of a line leaves it running. \`sandport ps\` lists what was detached or left,
\`logs\`, \`attach\`, \`stop-command\` and \`kill-command\` take its id.

Examples:
  sandport exec box "ls -l | wc -l"
  sandport exec --cwd /tmp --env A=1 box -- python3 -c 'import os; print(os.environ["A"])'
  sandport exec -i box "sort" < names.txt
  sandport exec -t box top
  id=$(sandport exec -d box ./server) && sandport logs -f box $id`,
    );
  addClientFlags(command).action(
    (box: string, operands: string[], flags: ExecFlags, self: Command) =>
      withExitCode(setExitCode, async () => {
        const line = commandLine(operands);
        const json = clientFlags(self).json === true;
        const { detach = false, tty = false } = flags;
        if (detach || tty || json) {
          if (tty && json && !detach) {
            throw new UsageError('--json is for output that is collected; leave --tty out.');
          }
          return withSandbox(self, box, (sandbox, { signal }) =>
            runWith({ box, line, flags, json, sandbox, signal }),
          );
        }
        // From here on signals are the command's.
        const sandbox = await withSandbox(self, box, (found) => Promise.resolve(found));
        const stdin = flags.interactive === true;
        return runLive(sandbox, line, { ...commandOptions(flags), stdin });
      }),
  );
}

function commandLine(operands: readonly string[]): CommandLine {
  const words = operands[0] === '--' ? operands.slice(1) : operands;
  const [first] = words;
  if (first === undefined) throw new UsageError('The command is missing behind `--`.');
  return words.length === 1 ? first : words;
}

async function runWith(context: ExecContext): Promise<number> {
  const { box, line, flags, json, sandbox, signal } = context;
  const options = commandOptions(flags);
  const { interactive, tty, detach } = flags;
  if (detach === true) {
    const handle = await sandbox.commands.run(line, {
      ...options,
      background: true,
      stdin: interactive === true ? true : undefined,
      terminal: tty === true ? ownSize() : undefined,
      signal,
    });
    if (json) printJson(handle.info);
    else printLine(handle.id);
    return 0;
  }
  if (tty === true) return runInTerminal(sandbox, { ...options, cmd: line }, { signal, box });
  const stdin = interactive === true ? process.stdin : undefined;
  return printResult(await sandbox.commands.run(line, { ...options, stdin, signal }));
}
