import type { Command } from 'commander';
import { addClientFlags, clientFlags, clientOf } from '../client-flags.ts';
import { printJson, printLine } from '../output/print.ts';

export function addVersion(program: Command): void {
  addClientFlags(program.command('version').description('print the version of the daemon')).action(
    async (_flags: unknown, self: Command) => {
      const common = clientFlags(self);
      const info = await clientOf(common).version();
      if (common.json) printJson(info);
      else printLine(info.version);
    },
  );
}
