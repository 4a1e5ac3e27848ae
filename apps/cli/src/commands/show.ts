import type { Command } from 'commander';
import { addClientFlags } from '../client-flags.ts';
import { printFields } from '../output/fields.ts';
import { printJson } from '../output/print.ts';
import { withSandbox } from './sandbox-action.ts';

export function addShow(program: Command): void {
  addClientFlags(
    program
      .command('show')
      .alias('get')
      .description('tell all about a sandbox')
      .argument('<sandbox>', 'name or id')
      .addHelpText(
        'after',
        '\nExamples:\n  sandport show box\n  sandport show --json box | jq -r .status',
      ),
  ).action((box: string, _flags: unknown, self: Command) =>
    withSandbox(self, box, async ({ info }, { json }) => {
      if (json) printJson(info);
      else printFields(info);
    }),
  );
}
