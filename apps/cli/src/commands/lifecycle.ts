import { type Command, InvalidArgumentError, Option } from 'commander';
import type { IdleAction, Lifecycle, LifecycleOptions } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { printFields } from '../output/fields.ts';
import { printJson } from '../output/print.ts';
import * as values from '../parse/values.ts';
import { withSandbox } from './sandbox-action.ts';

interface LifecycleFlags {
  ttl?: number;
  persistent?: boolean;
  idleTimeout?: number;
  idleAction?: IdleAction;
}

/** How long a sandbox stays: told and changed. */
export function addLifecycle(program: Command): void {
  addClientFlags(
    program
      .command('lifecycle')
      .description('tell how long a sandbox stays, or change it')
      .argument('<sandbox>', 'name or id')
      .option('--ttl <time>', 'delete it so long from now: 90s, 15m; 0: never', values.wholeSeconds)
      .option('--persistent', '--ttl does not delete it')
      .option('--no-persistent', '--ttl deletes it')
      .option(
        '--idle-timeout <time>',
        'put it away when idle so long; 0: never',
        values.wholeSeconds,
      )
      .addOption(
        new Option('--idle-action <action>', 'what that means').choices(['kill', 'hibernate']),
      )
      .addHelpText(
        'after',
        '\nExamples:\n  sandport lifecycle box\n  sandport lifecycle --ttl 2h --idle-timeout 10m box',
      ),
  ).action((box: string, flags: LifecycleFlags, self: Command) => {
    const { ttl, persistent, idleTimeout, idleAction } = flags;
    const change = { ttlSeconds: ttl, persistent, idleTimeoutSeconds: idleTimeout, idleAction };
    return changeLifecycle(self, box, change);
  });

  addClientFlags(
    program
      .command('set-ttl')
      .description('set when a sandbox is deleted')
      .argument('<sandbox>', 'name or id')
      .argument('<time>', 'from now: 90s, 15m, 2h, 1d; 0: never', values.wholeSeconds)
      .addHelpText('after', '\nExample:\n  sandport set-ttl box 2h'),
  ).action((box: string, ttlSeconds: number, _flags: unknown, self: Command) =>
    changeLifecycle(self, box, { ttlSeconds }),
  );

  addClientFlags(
    program
      .command('set-persistent')
      .description('keep a sandbox whatever its time limit says, or not')
      .argument('<sandbox>', 'name or id')
      .argument('[state]', 'true or false', trueOrFalse, true)
      .addHelpText(
        'after',
        '\nExamples:\n  sandport set-persistent box\n  sandport set-persistent box false',
      ),
  ).action((box: string, persistent: boolean, _flags: unknown, self: Command) =>
    changeLifecycle(self, box, { persistent }),
  );
}

const changeLifecycle = (self: Command, box: string, change: LifecycleOptions) =>
  withSandbox(self, box, async (sandbox, { json, signal }) => {
    const lifecycle: Lifecycle = await sandbox.lifecycle({ ...change, signal });
    if (json) printJson(lifecycle);
    else printFields(lifecycle);
  });

function trueOrFalse(text: string): boolean {
  if (text === 'true' || text === 'on') return true;
  if (text === 'false' || text === 'off') return false;
  throw new InvalidArgumentError('It must be true or false.');
}
