import type { Command } from 'commander';
import type { SandboxNetwork } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { printFields } from '../output/fields.ts';
import { printJson, printNote } from '../output/print.ts';
import { network as parseNetwork } from '../parse/network.ts';
import * as values from '../parse/values.ts';
import { UsageError } from '../usage-error.ts';
import { withSandbox } from './sandbox-action.ts';

interface NetworkFlags {
  bandwidth?: number;
}

/** What a sandbox may reach: told and changed. */
export function addNetwork(program: Command): void {
  addClientFlags(
    program
      .command('network')
      .description('tell what a sandbox may reach, or change that while it runs')
      .argument('<sandbox>', 'name or id')
      .argument('[network]', 'none, all, or allow=HOST,HOST:PORT,NETWORK', parseNetwork)
      .option('--bandwidth <mbps>', 'megabits a second in each direction', values.positiveNumber)
      .addHelpText(
        'after',
        `
Examples:
  sandport network box
  sandport network box allow=example.com,*.example.org,10.1.2.0/24
  sandport network --bandwidth 50 box all
  sandport network box none
  sandport events box          what was refused`,
      ),
  ).action((box: string, wanted: SandboxNetwork | undefined, flags: NetworkFlags, self: Command) =>
    withSandbox(self, box, async (sandbox, { json, signal }) => {
      if (wanted === undefined && flags.bandwidth !== undefined)
        throw new UsageError('--bandwidth needs a network: none, all, or allow=….');
      const network = wanted && { ...wanted, bandwidthMbps: flags.bandwidth };
      const info = network ? await sandbox.update({ network, signal }) : sandbox.info;
      if (json) printJson(info.network);
      else printFields(info.network);
      if (info.network.pending === true && !json)
        printNote('It comes with the next start of the sandbox, as after `sandport hibernate`.');
    }),
  );
}
