import type { Command } from 'commander';
import { addClientFlags, clientFlags, clientOf } from '../client-flags.ts';
import { interruptible } from '../interrupt.ts';
import { printJson, printLine, printNote } from '../output/print.ts';
import { printTable } from '../output/table.ts';
import { formatBytes } from '../output/units.ts';

export function addTemplate(program: Command): void {
  const template = program.command('template').description('what sandboxes start from');
  addClientFlags(
    template.command('ls').alias('list').description('list the templates and their aliases'),
  ).action(async (_flags: unknown, self: Command) => {
    const common = clientFlags(self);
    const templates = await clientOf(common).templates.list();
    if (common.json) return printJson(templates);
    printTable(
      ['NAME', 'STATUS', 'SIZE', 'ALIASES', 'DESCRIPTION'],
      templates.map((each) => [
        each.name,
        each.status,
        each.size_bytes === 0 ? '-' : formatBytes(each.size_bytes),
        each.aliases.join(', ') || '-',
        each.description,
      ]),
      'No templates.',
    );
  });
  addClientFlags(
    template
      .command('build')
      .description('build a template; its log goes to standard error')
      .argument('<template>', 'name or alias')
      .addHelpText('after', '\nExample:\n  sandport template build code-interpreter'),
  ).action(async (name: string, _flags: unknown, self: Command) => {
    const common = clientFlags(self);
    const built = await interruptible((signal) =>
      clientOf(common).templates.build(name, { onLog: printNote, signal }),
    );
    if (common.json) printJson(built);
    else printLine(built.name);
  });
}
