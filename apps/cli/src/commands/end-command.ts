import { type Command, InvalidArgumentError, Option } from 'commander';
import { type CommandHandle, type CommandSignal, commandSignals, type Sandbox } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { printJson, printLine } from '../output/print.ts';
import { findCommand } from './exec/find-command.ts';
import { type ActionContext, withSandbox } from './sandbox-action.ts';

/** `term` and `TERM` are SIGTERM, too. */
function signalOf(text: string): CommandSignal {
  const upper = text.toUpperCase();
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  const signal = commandSignals.find((each) => each === name);
  if (signal === undefined) {
    throw new InvalidArgumentError(`It must be one of ${commandSignals.join(', ')}.`);
  }
  return signal;
}

/** What ends commands that go on by themselves. */
export function addEndCommands(program: Command): void {
  addStopCommand(program);
  addKillCommand(program);
}

function addStopCommand(program: Command): void {
  const command = program
    .command('stop-command')
    .description('end commands that go on by themselves, and forget what they wrote')
    .argument('<sandbox>', 'name or id')
    .argument('<id...>', 'of the commands, or their first digits')
    .addHelpText(
      'after',
      `
SIGTERM, and SIGKILL two seconds later. One that has ended is forgotten.

Examples:
  sandport stop-command box 3f2a
  sandport ps --status ended --json box | jq -r '.[].id' | xargs -r sandport stop-command box`,
    );
  addClientFlags(command).action((box: string, ids: string[], _flags: unknown, self: Command) =>
    withSandbox(self, box, (sandbox, context) =>
      forEachCommand(sandbox, ids, context, (handle) => handle.remove(context)),
    ),
  );
}

function addKillCommand(program: Command): void {
  const command = program
    .command('kill-command')
    .description('send a signal to commands that go on by themselves')
    .argument('<sandbox>', 'name or id')
    .argument('<id...>', 'of the commands, or their first digits')
    .addOption(
      new Option('--signal <signal>', 'its name')
        .default('SIGKILL' satisfies CommandSignal)
        .argParser(signalOf),
    )
    .addHelpText(
      'after',
      `
To all processes of the command. What it wrote is kept.

Examples:
  sandport kill-command box 3f2a
  sandport kill-command --signal HUP box 3f2a`,
    );
  addClientFlags(command).action(
    (box: string, ids: string[], { signal }: { signal: CommandSignal }, self: Command) =>
      withSandbox(self, box, (sandbox, context) =>
        forEachCommand(sandbox, ids, context, (handle) => handle.kill(signal)),
      ),
  );
}

async function forEachCommand(
  sandbox: Sandbox,
  ids: readonly string[],
  { json, signal }: ActionContext,
  act: (handle: CommandHandle) => Promise<void>,
): Promise<void> {
  const done: string[] = [];
  for (const id of ids) {
    const handle = await findCommand(sandbox, id, { signal });
    await act(handle);
    if (json) done.push(handle.id);
    else printLine(handle.id);
  }
  if (json) printJson(done);
}
