import { type Command, Option } from 'commander';
import { Sandbox, type SandboxStatus } from 'sandport';
import { addClientFlags, clientFlags, clientOf } from '../client-flags.ts';
import { printJson } from '../output/print.ts';
import { printTable } from '../output/table.ts';
import { formatAge } from '../output/units.ts';
import { keyValue } from '../parse/values.ts';

interface ListFlags {
  namespace?: string;
  template?: string;
  status?: SandboxStatus;
  metadata?: Record<string, string>;
}

export function addList(program: Command): void {
  const command = program
    .command('ls')
    .alias('list')
    .description('list the sandboxes, newest first')
    .option('--namespace <namespace>', 'only of this compartment')
    .option('--template <template>', 'only made from this template')
    .addOption(
      new Option('--status <status>', 'only in this state').choices([
        'creating',
        'running',
        'paused',
        'hibernated',
        'failed',
      ]),
    )
    .option('--metadata <key=value>', 'only with this label; can be repeated', keyValue)
    .addHelpText('after', '\nExamples:\n  sandport ls\n  sandport ls --metadata team=data --json');
  addClientFlags(command).action(async (flags: ListFlags, self: Command) => {
    const common = clientFlags(self);
    const { namespace, template, status, metadata } = flags;
    const filter = { namespace, template, status, metadata };
    const sandboxes = await Sandbox.list(filter, clientOf(common));
    if (common.json) {
      printJson(sandboxes.map((sandbox) => sandbox.info));
      return;
    }
    printTable(
      ['NAME', 'STATUS', 'TEMPLATE', 'ISOLATION', 'AGE'],
      sandboxes.map(({ info }) => [
        info.name ?? info.id,
        info.status,
        info.template,
        info.isolation,
        formatAge(Date.now() - Date.parse(info.created_at)),
      ]),
      'No sandboxes; make one with `sandport create`.',
    );
  });
}
