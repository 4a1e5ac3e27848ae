import type { Command } from 'commander';
import { addClientFlags } from '../client-flags.ts';
import { printJson, printLine, printNote } from '../output/print.ts';
import { whileWaiting } from '../output/progress.ts';
import { keyValue, positiveInteger } from '../parse/values.ts';
import type { SetExitCode } from '../program.ts';
import { addMemoryFlags, type MemoryFlags, memoryOf } from './memory-flags.ts';
import { withSandbox } from './sandbox-action.ts';

interface ForkFlags extends MemoryFlags {
  count?: number;
  metadata?: Record<string, string>;
}

interface PromoteFlags {
  cleanupSiblings?: boolean;
  tree?: string;
}

/** Running copies of sandboxes, and which of them is kept. */
export function addForks(program: Command, setExitCode: SetExitCode): void {
  const forkCommand = (name: string, description: string, help: string) =>
    addClientFlags(
      addMemoryFlags(
        program.command(name).description(description).argument('<sandbox>', 'name or id'),
      )
        .option('--metadata <key=value>', 'label of the copies; can be repeated', keyValue)
        .addHelpText(
          'after',
          `\nThe copy has the disk of the sandbox as it is now, and with gVisor its processes; volumes are\nshared. The sandbox itself goes on.\n\n${help}`,
        ),
    );

  forkCommand(
    'fork',
    'make a running copy of a sandbox and print its id',
    'Examples:\n  copy=$(sandport fork box)\n  sandport fork --disk-only --metadata role=try box',
  ).action((box: string, flags: ForkFlags, self: Command) =>
    withSandbox(self, box, async (sandbox, { json, signal }) => {
      const options = { metadata: flags.metadata, memory: memoryOf(flags), signal };
      const child = await whileWaiting('forking', () => sandbox.fork(options));
      if (json) printJson(child.info);
      else printLine(child.name ?? child.id);
    }),
  );

  forkCommand(
    'fork-tree',
    'make several copies of one moment of a sandbox and print their ids',
    'Examples:\n  sandport fork-tree --count 4 box\n  sandport promote --cleanup-siblings CHILD      (keep one of them)',
  )
    .option('--count <number>', 'copies, up to 16 (2)', positiveInteger)
    .action((box: string, flags: ForkFlags, self: Command) =>
      withSandbox(self, box, async (sandbox, { json, signal }) => {
        const { count, metadata } = flags;
        const options = { count, metadata, memory: memoryOf(flags), signal };
        const tree = await whileWaiting('forking', () => sandbox.forkTree(options));
        const { treeId, parentId, memory, pauseMs, children, errors } = tree;
        for (const { error } of errors) printNote(`sandport: a copy could not be made: ${error}`);
        if (errors.length > 0) setExitCode(1);
        if (json) {
          printJson({
            tree_id: treeId,
            parent_id: parentId,
            memory,
            pause_ms: pauseMs,
            children: children.map(({ info }) => info),
            errors,
          });
          return;
        }
        for (const child of children) printLine(child.id);
        printNote(`Tree ${treeId}`);
      }),
    );

  addClientFlags(
    program
      .command('promote')
      .description('make a copy the keeper of its tree')
      .argument('<sandbox>', 'name or id of the copy')
      .option('--cleanup-siblings', 'delete the other copies of the tree')
      .option('--tree <id>', 'the tree (that of the copy)')
      .addHelpText('after', '\nExample:\n  sandport promote --cleanup-siblings "$copy"'),
  ).action((box: string, flags: PromoteFlags, self: Command) =>
    withSandbox(self, box, async (sandbox, { json, signal }) => {
      const { cleanupSiblings, tree } = flags;
      const result = await sandbox.promote({ cleanupSiblings, treeId: tree, signal });
      for (const { id, error } of result.failures ?? []) {
        printNote(`sandport: ${id} could not be deleted: ${error}`);
        setExitCode(1);
      }
      if (json) return printJson(result);
      printLine(box);
      if (cleanupSiblings === true) printNote(`${result.deleted.length} siblings deleted`);
    }),
  );
}
