import type { Command } from 'commander';
import { addClientFlags } from '../client-flags.ts';
import { printFields } from '../output/fields.ts';
import { printJson, printLine } from '../output/print.ts';
import { printTable } from '../output/table.ts';
import { formatAge } from '../output/units.ts';
import { mebibytes } from '../parse/values.ts';
import { withClient } from './sandbox-action.ts';

interface VolumeFlags {
  namespace?: string;
}

interface CreateFlags extends VolumeFlags {
  size?: number;
}

export function addVolume(program: Command): void {
  const volume = program
    .command('volume')
    .description('named storage that outlives sandboxes, mounted at /mnt/NAME')
    .addHelpText(
      'after',
      `
The files of a volume need no sandbox: \`sandport cp\`, \`sandport sync\` and \`sandport fs\` take
volume:NAME:/path, and volume:NAMESPACE/NAME:/path outside of the namespace "default".

Examples:
  sandport volume create models --size 10g
  sandport cp ./model.bin volume:models:/
  sandport create --volume models:ro
  sandport fs ls volume:models:/`,
    );
  const add = (name: string, description: string, example: string) =>
    addClientFlags(
      volume
        .command(name)
        .description(description)
        .option('--namespace <namespace>', 'compartment of the volume')
        .addHelpText('after', `\nExample:\n  sandport volume ${example}`),
    );

  add('ls', 'list the volumes', 'ls --json')
    .alias('list')
    .action(({ namespace }: VolumeFlags, self: Command) =>
      withClient(self, async ({ json, client, signal }) => {
        const volumes = await client.volumes.list({ namespace, signal });
        if (json) return printJson(volumes.map(({ info }) => info));
        printTable(
          ['NAME', 'NAMESPACE', 'LIMIT', 'USED BY', 'AGE'],
          volumes.map(({ info }) => [
            info.name,
            info.namespace,
            info.size_mb === undefined ? '-' : `${info.size_mb} MiB`,
            info.used_by.join(', ') || '-',
            formatAge(Date.now() - Date.parse(info.created_at)),
          ]),
          'No volumes; `sandport create --volume NAME` makes one.',
        );
      }),
    );

  add('create', 'make an empty volume', 'create models --size 10g')
    .argument('<name>')
    .option('--size <size>', 'most that it holds: 512m, 2g (no limit)', mebibytes)
    .action((name: string, { namespace, size }: CreateFlags, self: Command) =>
      withClient(self, async ({ json, client, signal }) => {
        const created = await client.volumes.create(name, { namespace, sizeMb: size, signal });
        if (json) printJson(created.info);
        else printLine(created.name);
      }),
    );

  add('show', 'tell all about a volume, also how much it holds', 'show models')
    .argument('<name>')
    .action((name: string, { namespace }: VolumeFlags, self: Command) =>
      withClient(self, async ({ json, client, signal }) => {
        const { info } = await client.volumes.get(name, { namespace, signal });
        if (json) printJson(info);
        else printFields(info);
      }),
    );

  add('rm', 'delete volumes and what is in them', 'rm models')
    .argument('<name...>')
    .action((names: string[], { namespace }: VolumeFlags, self: Command) =>
      withClient(self, async ({ json, client, signal }) => {
        for (const name of names) {
          await client.volumes.delete(name, { namespace, signal });
          if (!json) printLine(name);
        }
        if (json) printJson(names);
      }),
    );
}
