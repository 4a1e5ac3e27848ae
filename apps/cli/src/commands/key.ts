import type { Command } from 'commander';
import { addClientFlags, clientFlags, clientOf } from '../client-flags.ts';
import { printJson, printLine, printNote } from '../output/print.ts';
import { printTable } from '../output/table.ts';
import { formatAge } from '../output/units.ts';

interface KeyFlags {
  label?: string;
  namespace?: string[];
}

export function addKey(program: Command): void {
  const key = program.command('key').description('API keys; for administrators');

  addClientFlags(
    key
      .command('create')
      .description('make a key and print it, this once')
      .option('--label <text>', 'what the key is for')
      .option(
        '--namespace <namespace...>',
        'compartments that it may use; left out: all, as an administrator',
      )
      .addHelpText('after', '\nExample:\n  sandport key create --label ci --namespace ci'),
  ).action(async ({ label, namespace }: KeyFlags, self: Command) => {
    const common = clientFlags(self);
    const created = await clientOf(common).keys.create({ label, namespaces: namespace });
    if (common.json) return printJson(created);
    printLine(created.api_key);
    printNote(`Key ${created.id}; it cannot be shown again.`);
  });

  addClientFlags(key.command('ls').alias('list').description('list the keys')).action(
    async (_flags: unknown, self: Command) => {
      const common = clientFlags(self);
      const keys = await clientOf(common).keys.list();
      if (common.json) return printJson(keys);
      printTable(
        ['ID', 'LABEL', 'NAMESPACES', 'AGE'],
        keys.map((each) => [
          each.id,
          each.label || '-',
          each.namespaces?.join(', ') ?? 'all',
          formatAge(Date.now() - Date.parse(each.created_at)),
        ]),
        'No keys.',
      );
    },
  );

  addClientFlags(
    key
      .command('rm')
      .description('make keys invalid')
      .argument('<id...>', 'ids from `key ls`')
      .addHelpText('after', '\nExample:\n  sandport key rm ID'),
  ).action(async (ids: string[], _flags: unknown, self: Command) => {
    const common = clientFlags(self);
    const { keys } = clientOf(common);
    for (const id of ids) {
      await keys.delete(id);
      if (!common.json) printLine(id);
    }
    if (common.json) printJson(ids);
  });
}
