import type { Command } from 'commander';
import { Sandbox } from 'sandport';
import { addClientFlags, clientFlags, clientOf } from '../client-flags.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { printJson, printLine } from '../output/print.ts';
import { printError } from '../print-error.ts';
import type { SetExitCode } from '../program.ts';

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
  addClientFlags(command).action(async (boxes: string[], _flags: unknown, self: Command) => {
    const common = clientFlags(self);
    const client = clientOf(common);
    const results = await Promise.allSettled(
      boxes.map(async (box) => (await Sandbox.get(box, client)).kill()),
    );
    const killed: string[] = [];
    for (const [index, result] of results.entries()) {
      const box = boxes[index] ?? '';
      if (result.status === 'fulfilled') killed.push(box);
      else {
        printError(result.reason);
        setExitCode(exitCodeOf(result.reason));
      }
    }
    if (common.json) printJson(killed);
    else for (const box of killed) printLine(box);
  });
}
