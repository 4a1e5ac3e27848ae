import type { Command } from 'commander';
import type { SandboxEvent, TransferRetry } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { LineWriter } from '../output/print.ts';
import { count } from '../parse/values.ts';
import { printError } from '../print-error.ts';
import { withClient } from './sandbox-action.ts';

interface EventsFlags {
  follow?: boolean;
  tail?: number;
}

const defaultTail = 50;

/** What happened to sandboxes. */
export function addEvents(program: Command): void {
  addClientFlags(
    program
      .command('events')
      .description('tell what happened to a sandbox, or to all')
      .argument('[sandbox]', 'name or id; of one that is gone its id')
      .option('-f, --follow', 'go on as things happen, until Ctrl-C or the end of the sandbox')
      .option('--tail <number>', 'most events that have happened already (50)', count)
      .addHelpText(
        'after',
        `
One line an event: time, sandbox, what happened. --json prints one object a line. A connection that
breaks is made again, and no event is missed.

Examples:
  sandport events box
  sandport events --follow
  sandport events --follow --json box | jq -r .type`,
      ),
  ).action((box: string | undefined, { follow, tail }: EventsFlags, self: Command) =>
    withClient(self, async ({ json, client, signal }) => {
      await using out = new LineWriter();
      const print = (event: SandboxEvent) =>
        json ? out.json(event) : out.line(describeSandboxEvent(event));
      if (follow !== true) {
        for (const event of await client.events({ sandbox: box, tail, signal })) await print(event);
        return;
      }
      const onRetry = ({ error }: TransferRetry) => printError(error);
      const options = { sandbox: box, tail: tail ?? defaultTail, signal, onRetry };
      for await (const event of client.followEvents(options)) {
        await print(event);
        await out.flush();
      }
    }),
  );
}

/** `TIME  ID  created  isolation=gvisor`: one event, for people. */
export function describeSandboxEvent({ time, sandbox_id, type, payload }: SandboxEvent): string {
  const details = Object.entries(payload).map(([key, value]) =>
    typeof value === 'object' ? `${key}=${JSON.stringify(value)}` : `${key}=${String(value)}`,
  );
  return [time, sandbox_id, type.padEnd(11), details.join(' ')].join('  ').trimEnd();
}
