import type { Command } from 'commander';
import { addClientFlags } from '../client-flags.ts';
import { printLine } from '../output/print.ts';
import type { SetExitCode } from '../program.ts';
import { forEachSandbox } from './sandbox-action.ts';

export function addKill(program: Command, setExitCode: SetExitCode): void {
  const command = program
    .command('kill')
    .alias('rm')
    .description('end sandboxes and delete what is in them, volumes excepted')
    .argument('<sandbox...>', 'names or ids')
    .addHelpText(
      'after',
      '\nExamples:\n  sandport kill box\n  sandport ls --json | jq -r ".[].id" | xargs -r sandport kill',
    );
  addClientFlags(command).action((boxes: string[], _flags: unknown, self: Command) =>
    forEachSandbox(
      { self, boxes, setExitCode, waiting: 'killing' },
      async (sandbox, signal, box) => {
        await sandbox.kill({ signal });
        return box;
      },
      printLine,
    ),
  );
}
