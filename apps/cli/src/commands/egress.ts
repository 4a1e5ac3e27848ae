import type { Command } from 'commander';
import type { SandboxNetwork } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { printFields } from '../output/fields.ts';
import { printJson } from '../output/print.ts';
import { network as parseNetwork, networkBound } from '../parse/network.ts';
import { withClient } from './sandbox-action.ts';

interface SetFlags {
  max?: SandboxNetwork;
  default?: SandboxNetwork;
}

/** What the sandboxes of a namespace may reach. */
export function addEgress(program: Command): void {
  const egress = program
    .command('egress')
    .description('what sandboxes of a namespace may reach at most, and by default');

  addClientFlags(
    egress
      .command('show')
      .description('tell the networks of a namespace')
      .argument('[namespace]', 'compartment', 'default')
      .addHelpText('after', '\nExample:\n  sandport egress show ci'),
  ).action((namespace: string, _flags: unknown, self: Command) =>
    withClient(self, async ({ json, client, signal }) => {
      const found = await client.namespaceNetworks.get(namespace, { signal });
      if (json) printJson(found);
      else printFields(found);
    }),
  );

  addClientFlags(
    egress
      .command('set')
      .description('set the networks of a namespace; what is left out is taken away')
      .argument('<namespace>', 'compartment')
      .option(
        '--max <none|all|allow|allow=…>',
        'most that a sandbox may have, whoever asks; allow: any list, allow=…: parts of this one',
        networkBound,
      )
      .option(
        '--default <none|all|allow=…>',
        'of sandboxes that ask for none, and whose template has none',
        parseNetwork,
      )
      .addHelpText(
        'after',
        `
Sandboxes that have more than the new bound lose what is beyond it.

Examples:
  sandport egress set ci --max allow=*.example.org,example.com --default allow=example.com
  sandport egress set ci --max none
  sandport egress set ci                        (no bound, no default)`,
      ),
  ).action((namespace: string, { max, default: fallback }: SetFlags, self: Command) =>
    withClient(self, async ({ json, client, signal }) => {
      const settings = { maxEgress: max?.egress, maxAllow: max?.allow, default: fallback };
      const set = await client.namespaceNetworks.set(namespace, settings, { signal });
      if (json) printJson(set);
      else printFields(set);
    }),
  );
}
