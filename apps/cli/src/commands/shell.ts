import type { Command } from 'commander';
import { addClientFlags } from '../client-flags.ts';
import type { SetExitCode } from '../program.ts';
import { addCommandFlags, type CommandFlags, commandOptions } from './exec/command-flags.ts';
import { withExitCode } from './exec/own-errors.ts';
import { runInTerminal } from './exec/run-in-terminal.ts';
import { withSandbox } from './sandbox-action.ts';

/** A login shell in a terminal. */
export function addShell(program: Command, setExitCode: SetExitCode): void {
  const command = addCommandFlags(
    program
      .command('shell')
      .description('open a shell in a sandbox')
      .argument('<sandbox>', 'name or id'),
  ).addHelpText(
    'after',
    `
The login shell of the user. It lives through a broken connection and a restart of the daemon.
\`~.\` at the beginning of a line leaves it running; \`sandport attach\` comes back to it. The exit
code is that of the shell, and 125 when there is none.

Examples:
  sandport shell box
  sandport shell --user root --cwd /etc box`,
  );
  addClientFlags(command).action((box: string, flags: CommandFlags, self: Command) =>
    withExitCode(setExitCode, () =>
      withSandbox(self, box, (sandbox, { signal }) =>
        runInTerminal(sandbox, commandOptions(flags), { signal, box }),
      ),
    ),
  );
}
