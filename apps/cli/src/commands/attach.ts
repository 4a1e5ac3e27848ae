import type { Command } from 'commander';
import type { CommandHandle, Sandbox } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { printNote } from '../output/print.ts';
import type { SetExitCode } from '../program.ts';
import { runTerminal } from '../terminal/run-terminal.ts';
import { findCommand } from './exec/find-command.ts';
import { OutputWriter } from './exec/output-writer.ts';
import { withExitCode } from './exec/own-errors.ts';
import { feed } from './exec/run-live.ts';
import { tellEnd } from './exec/tell-end.ts';
import { withSandbox } from './sandbox-action.ts';

/** Of what a terminal has shown, so that one sees where one is. */
const replayBytes = 8 * 1024;

/** Comes back to a command that goes on by itself. */
export function addAttach(program: Command, setExitCode: SetExitCode): void {
  const command = program
    .command('attach')
    .description('come back to a command or terminal that goes on by itself')
    .argument('<sandbox>', 'name or id')
    .argument('<id>', 'of the command, or its first digits')
    .option('-i, --interactive', 'give standard input to a command without a terminal')
    .addHelpText(
      'after',
      `
A terminal is joined with this one: it shows the last of what it has shown, and \`~.\` at the
beginning of a line leaves it. Of other commands all kept output comes first; Ctrl-C leaves them
running. The exit code is that of the command, and 125 when it cannot be followed.

Examples:
  sandport attach box 3f2a
  sandport attach -i box 3f2a < more.txt`,
    );
  addClientFlags(command).action(
    (box: string, id: string, { interactive }: { interactive?: boolean }, self: Command) =>
      withExitCode(setExitCode, () =>
        withSandbox(self, box, async (sandbox, { json, signal }) => {
          await using handle = await findCommand(sandbox, id, { signal });
          if (handle.info.tty) return joinTerminal(sandbox, handle, { box, signal });
          const stop = () => void handle.disconnect(signal.reason);
          signal.addEventListener('abort', stop, { once: true });
          if (interactive === true) feed(handle);
          return tellEnd(await new OutputWriter({ json }).follow(handle));
        }),
      ),
  );
}

async function joinTerminal(
  sandbox: Sandbox,
  { id, info }: CommandHandle,
  { box, signal }: { readonly box: string; readonly signal: AbortSignal },
): Promise<number> {
  const since = Math.max(info.stdout_start, info.stdout_bytes - replayBytes);
  const { end } = await runTerminal({
    signal,
    open: async (size, wires) => {
      const pty = await sandbox.pty.connect(id, { ...wires, since, signal });
      await pty.resize(size);
      return pty;
    },
  });
  if (end !== undefined) return tellEnd(end);
  printNote(`sandport: left; \`sandport attach ${box} ${id}\` comes back to it.`);
  return 0;
}
