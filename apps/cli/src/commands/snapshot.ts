import type { Command } from 'commander';
import { addClientFlags } from '../client-flags.ts';
import { printFields } from '../output/fields.ts';
import { printJson, printLine, printNote } from '../output/print.ts';
import { whileWaiting } from '../output/progress.ts';
import { printTable } from '../output/table.ts';
import { formatAge, formatBytes } from '../output/units.ts';
import { keyValue } from '../parse/values.ts';
import { addMemoryFlags, type MemoryFlags, memoryOf } from './memory-flags.ts';
import { withClient, withSandbox } from './sandbox-action.ts';

interface CreateFlags extends MemoryFlags {
  name?: string;
  metadata?: Record<string, string>;
}

interface ListFlags {
  namespace?: string;
  sandbox?: string;
}

/** Frozen states of sandboxes. */
export function addSnapshot(program: Command): void {
  const snapshot = program
    .command('snapshot')
    .description('frozen states of sandboxes, which outlive them');

  addClientFlags(
    addMemoryFlags(
      snapshot
        .command('create')
        .description('freeze the state of a sandbox and print the name or id of the snapshot')
        .argument('<sandbox>', 'name or id'),
    )
      .option('--name <name>', 'name of the snapshot, unique in its namespace')
      .option('--metadata <key=value>', 'label; can be repeated', keyValue)
      .addHelpText(
        'after',
        '\nExamples:\n  sandport snapshot create --name before-upgrade box\n  sandport create --from-snapshot before-upgrade',
      ),
  ).action((box: string, flags: CreateFlags, self: Command) =>
    withSandbox(self, box, async (sandbox, { json, signal }) => {
      const { name, metadata } = flags;
      const options = { name, metadata, memory: memoryOf(flags), signal };
      const made = await whileWaiting('making the snapshot', () => sandbox.snapshot(options));
      if (json) printJson(made);
      else printLine(made.name ?? made.id);
    }),
  );

  addClientFlags(
    snapshot
      .command('ls')
      .alias('list')
      .description('list the snapshots, newest first')
      .option('--namespace <namespace>', 'only of this compartment')
      .option('--sandbox <id>', 'only of the sandbox with this id')
      .addHelpText('after', '\nExample:\n  sandport snapshot ls --json'),
  ).action(({ namespace, sandbox }: ListFlags, self: Command) =>
    withClient(self, async ({ json, client, signal }) => {
      const snapshots = await client.snapshots.list({ namespace, sandbox, signal });
      if (json) return printJson(snapshots);
      printTable(
        ['SNAPSHOT', 'SANDBOX', 'TEMPLATE', 'ISOLATION', 'MEMORY', 'SIZE', 'AGE'],
        snapshots.map((each) => [
          each.name ?? each.id,
          each.sandbox_id,
          each.template,
          each.isolation,
          each.memory ? 'yes' : 'no',
          formatBytes(each.size_bytes),
          formatAge(Date.now() - Date.parse(each.created_at)),
        ]),
        'No snapshots; make one with `sandport snapshot create BOX`.',
      );
    }),
  );

  addClientFlags(
    snapshot
      .command('show')
      .description('tell all about a snapshot')
      .argument('<snapshot>', 'name or id')
      .addHelpText('after', '\nExample:\n  sandport snapshot show before-upgrade'),
  ).action((idOrName: string, _flags: unknown, self: Command) =>
    withClient(self, async ({ json, client, signal }) => {
      const found = await client.snapshots.get(idOrName, { signal });
      if (json) printJson(found);
      else printFields(found);
    }),
  );

  addClientFlags(
    snapshot
      .command('rm')
      .description('delete snapshots; sandboxes made from them stay')
      .argument('<snapshot...>', 'names or ids')
      .addHelpText('after', '\nExample:\n  sandport snapshot rm before-upgrade'),
  ).action((names: string[], _flags: unknown, self: Command) =>
    withClient(self, async ({ json, client, signal }) => {
      for (const name of names) {
        await client.snapshots.delete(name, { signal });
        if (!json) printLine(name);
      }
      if (json) printJson(names);
    }),
  );

  addClientFlags(
    program
      .command('restore')
      .description('put the state of a snapshot in the place of the sandbox’s own')
      .argument('<sandbox>', 'name or id')
      .argument('<snapshot>', 'name or id')
      .addHelpText(
        'after',
        '\nWhat was written since is lost. Id, name and volumes stay.\n\nExample:\n  sandport restore box before-upgrade',
      ),
  ).action((box: string, idOrName: string, _flags: unknown, self: Command) =>
    withSandbox(self, box, async (sandbox, { json, signal }) => {
      const restored = await whileWaiting('restoring', () => sandbox.restore(idOrName, { signal }));
      if (json) return printJson(restored);
      printLine(box);
      if (!restored.memory) printNote(`sandport: ${box}: it began afresh from the disk`);
    }),
  );
}
