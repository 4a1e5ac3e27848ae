import type { Command } from 'commander';
import { addClientFlags, clientFlags, clientOf } from '../client-flags.ts';
import { printJson, printLine } from '../output/print.ts';
import { printTable } from '../output/table.ts';
import { formatAge } from '../output/units.ts';

interface VolumeFlags {
  namespace?: string;
}

export function addVolume(program: Command): void {
  const volume = program
    .command('volume')
    .description('named storage that outlives sandboxes, mounted at /mnt/NAME');
  const add = (name: string, description: string) =>
    addClientFlags(
      volume
        .command(name)
        .description(description)
        .option('--namespace <namespace>', 'compartment of the volume'),
    );

  add('ls', 'list the volumes')
    .alias('list')
    .action(async ({ namespace }: VolumeFlags, self: Command) => {
      const common = clientFlags(self);
      const volumes = await clientOf(common).volumes.list({ namespace });
      if (common.json) return printJson(volumes.map(({ info }) => info));
      printTable(
        ['NAME', 'NAMESPACE', 'USED BY', 'AGE'],
        volumes.map(({ info: each }) => [
          each.name,
          each.namespace,
          each.used_by.join(', ') || '-',
          formatAge(Date.now() - Date.parse(each.created_at)),
        ]),
        'No volumes; `sandport create --volume NAME` makes one.',
      );
    });

  add('create', 'make an empty volume')
    .argument('<name>')
    .action(async (name: string, { namespace }: VolumeFlags, self: Command) => {
      const common = clientFlags(self);
      const created = await clientOf(common).volumes.create(name, { namespace });
      if (common.json) printJson(created.info);
      else printLine(created.name);
    });

  add('rm', 'delete volumes and what is in them')
    .argument('<name...>')
    .action(async (names: string[], { namespace }: VolumeFlags, self: Command) => {
      const common = clientFlags(self);
      const { volumes } = clientOf(common);
      for (const name of names) {
        await volumes.delete(name, { namespace });
        if (!common.json) printLine(name);
      }
      if (common.json) printJson(names);
    });
}
