import type { Command } from 'commander';
import type { QuotaObject } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { printFields } from '../output/fields.ts';
import { printJson } from '../output/print.ts';
import { printTable } from '../output/table.ts';
import { count, mebibytes } from '../parse/values.ts';
import { withClient } from './sandbox-action.ts';

interface SetFlags {
  sandboxes?: number;
  memory?: number;
  disk?: number;
}

/** Shares of the machine. */
export function addQuota(program: Command): void {
  const quota = program
    .command('quota')
    .description('how much of the machine a namespace may use, and does');

  addClientFlags(
    quota
      .command('ls')
      .alias('list')
      .description('list the namespaces with a quota or with sandboxes')
      .addHelpText('after', '\nExample:\n  sandport quota ls'),
  ).action((_flags: unknown, self: Command) =>
    withClient(self, async ({ json, client, signal }) => {
      const quotas = await client.quotas.list({ signal });
      if (json) return printJson(quotas);
      printTable(
        ['NAMESPACE', 'SANDBOXES', 'MEMORY MIB', 'DISK MIB'],
        quotas.map(quotaRow),
        'No namespaces.',
      );
    }),
  );

  addClientFlags(
    quota
      .command('show')
      .description('tell the quota of a namespace, and what it uses')
      .argument('[namespace]', 'compartment', 'default')
      .addHelpText('after', '\nExample:\n  sandport quota show ci'),
  ).action((namespace: string, _flags: unknown, self: Command) =>
    withClient(self, async ({ json, client, signal }) => {
      const found = await client.quotas.get(namespace, { signal });
      if (json) printJson(found);
      else printFields(found);
    }),
  );

  addClientFlags(
    quota
      .command('set')
      .description('set the quota of a namespace; what is left out has no limit')
      .argument('<namespace>', 'compartment')
      .option('--sandboxes <number>', 'most sandboxes', count)
      .option('--memory <size>', 'most memory that all sandboxes together may use', mebibytes)
      .option('--disk <size>', 'most disk of all sandboxes and volumes together', mebibytes)
      .addHelpText(
        'after',
        `
What is there already stays. With --disk each sandbox and volume must have a limit of its own.

Examples:
  sandport quota set ci --sandboxes 20 --memory 16g
  sandport quota set ci                          (no limits)`,
      ),
  ).action((namespace: string, { sandboxes, memory, disk }: SetFlags, self: Command) =>
    withClient(self, async ({ json, client, signal }) => {
      const limits = { maxSandboxes: sandboxes, maxMemoryMb: memory, maxDiskMb: disk };
      const set = await client.quotas.set(namespace, limits, { signal });
      if (json) printJson(set);
      else printFields(set);
    }),
  );
}

const quotaRow = (quota: QuotaObject): string[] => [
  quota.namespace,
  ofLimit(quota.sandboxes, quota.max_sandboxes),
  ofLimit(quota.memory_mb, quota.max_memory_mb),
  ofLimit(quota.disk_mb, quota.max_disk_mb),
];

const ofLimit = (used: number, limit: number | undefined) =>
  limit === undefined ? String(used) : `${used} of ${limit}`;
