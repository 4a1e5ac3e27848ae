import type { Command } from 'commander';
import type { Sandbox, SandboxObject } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { printLine, printNote } from '../output/print.ts';
import type { SetExitCode } from '../program.ts';
import { forEachSandbox } from './sandbox-action.ts';

interface StateCommand {
  readonly name: string;
  readonly alias?: string;
  readonly description: string;
  readonly help: string;
  readonly waiting: string;
  readonly act: (sandbox: Sandbox, signal: AbortSignal) => Promise<SandboxObject>;
  /** Something to say about one that is done. */
  readonly note?: (result: SandboxObject) => string | undefined;
}

const states: readonly StateCommand[] = [
  {
    name: 'pause',
    description: 'freeze all processes of sandboxes where they are',
    help: 'Memory stays taken. Files are still read and written; commands are refused.',
    waiting: 'pausing',
    act: (sandbox, signal) => sandbox.pause({ signal }),
  },
  {
    name: 'resume',
    description: 'let paused sandboxes go on',
    help: 'One that runs stays as it is.',
    waiting: 'resuming',
    act: (sandbox, signal) => sandbox.resume({ signal }),
  },
  {
    name: 'hibernate',
    alias: 'stop',
    description: 'put sandboxes to sleep and give their memory back',
    help: `With gVisor processes and memory are kept on the disk, otherwise the disk and volumes only; a note
says so. The next command or write wakes the sandbox.`,
    waiting: 'hibernating',
    act: (sandbox, signal) => sandbox.hibernate({ signal }),
    note: ({ memory }) =>
      memory === false ? 'the disk is kept, its processes have ended' : undefined,
  },
  {
    name: 'wake',
    alias: 'start',
    description: 'give hibernated or failed sandboxes their processes back',
    help: 'One that runs stays as it is.',
    waiting: 'waking',
    act: (sandbox, signal) => sandbox.wake({ signal }),
    note: ({ memory, status_reason: reason }) =>
      memory === false
        ? `it began afresh from its disk${reason === undefined ? '' : `: ${reason}`}`
        : undefined,
  },
];

/** What changes the state of sandboxes. */
export function addStates(program: Command, setExitCode: SetExitCode): void {
  for (const { name, alias, description, help, waiting, act, note } of states) {
    const command = program
      .command(name)
      .description(description)
      .argument('<sandbox...>', 'names or ids')
      .addHelpText(
        'after',
        `\n${help}\n\nExamples:\n  sandport ${name} box\n  sandport ${name} one two`,
      );
    if (alias !== undefined) command.alias(alias);
    addClientFlags(command).action((boxes: string[], _flags: unknown, self: Command) =>
      forEachSandbox({ self, boxes, setExitCode, waiting }, act, (box, result) => {
        printLine(box);
        const text = note?.(result);
        if (text !== undefined) printNote(`sandport: ${box}: ${text}`);
      }),
    );
  }
}
