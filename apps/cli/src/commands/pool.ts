import { type Command, Option } from 'commander';
import type { Isolation, PoolObject } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { printFields } from '../output/fields.ts';
import { printJson, printLine } from '../output/print.ts';
import { printTable } from '../output/table.ts';
import { count } from '../parse/values.ts';
import { withClient } from './sandbox-action.ts';

interface PoolFlags {
  isolation?: Isolation;
}

/** Sandboxes that are made ahead. */
export function addPool(program: Command): void {
  const pool = program
    .command('pool')
    .description('sandboxes made ahead, so that a create need not wait; for administrators');
  const add = (name: string, description: string, example: string) =>
    addClientFlags(
      pool
        .command(name)
        .description(description)
        .addHelpText('after', `\nExample:\n  sandport pool ${example}`),
    );
  const addForTemplate = (name: string, description: string, example: string) =>
    add(name, description, example)
      .argument('<template>', 'name or alias')
      .addOption(
        new Option('--isolation <kind>', 'that of the pool (the strongest that works)').choices([
          'gvisor',
          'container',
        ]),
      );

  add('ls', 'list the pools', 'ls')
    .alias('list')
    .action((_flags: unknown, self: Command) =>
      withClient(self, async ({ json, client, signal }) => {
        const pools = await client.pools.list({ signal });
        if (json) return printJson(pools);
        printTable(
          ['TEMPLATE', 'ISOLATION', 'SIZE', 'READY', 'STARTING', 'TAKEN', 'MISSED', 'ERROR'],
          pools.map(poolRow),
          'No pools; `sandport pool set TEMPLATE SIZE` makes one.',
        );
      }),
    );

  addForTemplate('show', 'tell all about a pool', 'show base').action(
    (template: string, { isolation }: PoolFlags, self: Command) =>
      withClient(self, async ({ json, client, signal }) => {
        const found = await client.pools.get(template, { isolation, signal });
        if (json) printJson(found);
        else printFields(found);
      }),
  );

  addForTemplate('set', 'make a pool, or change its size; 0 drains it', 'set base 4')
    .argument('<size>', 'sandboxes kept ready', count)
    .action((template: string, size: number, { isolation }: PoolFlags, self: Command) =>
      withClient(self, async ({ json, client, signal }) => {
        const set = await client.pools.set(template, size, { isolation, signal });
        if (json) printJson(set);
        else printLine(`${set.template} ${set.isolation} ${set.size}`);
      }),
    );

  addForTemplate('rm', 'end a pool and the sandboxes that wait in it', 'rm base').action(
    (template: string, { isolation }: PoolFlags, self: Command) =>
      withClient(self, async ({ json, client, signal }) => {
        await client.pools.delete(template, { isolation, signal });
        if (json) printJson(template);
        else printLine(template);
      }),
  );
}

const poolRow = (pool: PoolObject): string[] => [
  pool.template,
  pool.isolation,
  String(pool.size),
  String(pool.ready),
  String(pool.starting),
  String(pool.taken),
  String(pool.missed),
  pool.error ?? '-',
];
