import type { Command } from 'commander';
import { addClientFlags } from '../client-flags.ts';
import { printFields } from '../output/fields.ts';
import { printJson } from '../output/print.ts';
import * as values from '../parse/values.ts';
import { withSandbox } from './sandbox-action.ts';

interface LimitFlags {
  cpu?: number;
  memory?: number;
  disk?: number;
  pids?: number;
}

/** What a sandbox may use: told and changed. */
export function addLimits(program: Command): void {
  addClientFlags(
    program
      .command('limits')
      .description('tell the limits of a sandbox, or change them while it runs')
      .argument('<sandbox>', 'name or id')
      .option('--cpu <cores>', 'CPU cores, fractions allowed', values.positiveNumber)
      .option('--memory <size>', 'memory: 512m, 2g', values.mebibytes)
      .option('--disk <size>', 'writable disk: 512m, 2g', values.mebibytes)
      .option('--pids <number>', 'processes and threads at one time', values.positiveInteger)
      .addHelpText(
        'after',
        '\nExamples:\n  sandport limits box\n  sandport limits --cpu 2 --memory 4g box',
      ),
  ).action((box: string, { cpu, memory, disk, pids }: LimitFlags, self: Command) =>
    withSandbox(self, box, async (sandbox, { json, signal }) => {
      const resources = { cpu, memoryMb: memory, diskMb: disk, pids };
      const changes = Object.values(resources).some((limit) => limit !== undefined);
      const info = changes ? await sandbox.update({ resources, signal }) : sandbox.info;
      if (json) printJson(info.resources);
      else printFields(info.resources);
    }),
  );
}
