import { once } from 'node:events';
import type { Command } from 'commander';
import { addClientFlags } from '../client-flags.ts';
import { printLine, printNote } from '../output/print.ts';
import { type ForwardedPort, forwardedPorts } from '../parse/port.ts';
import { forwardPort, type PortForward } from '../ports/forward-port.ts';
import { withSandbox } from './sandbox-action.ts';

interface ForwardFlags {
  address: string;
}

/** Ports of this machine that lead into a sandbox. */
export function addPortForward(program: Command): void {
  addClientFlags(
    program
      .command('port-forward')
      .description('let ports of this machine lead into a sandbox, until Ctrl-C')
      .argument('<sandbox>', 'name or id')
      .argument(
        '<ports...>',
        '3000, 8080:3000 (here:there), or :3000 for any free one',
        forwardedPorts,
      )
      .option('--address <address>', 'of this machine, on which to listen', '127.0.0.1')
      .addHelpText(
        'after',
        `
Any protocol over TCP. With --json a line of JSON tells of each port.

Examples:
  sandport port-forward box 3000
  sandport port-forward box 5432 8080:80`,
      ),
  ).action((box: string, ports: ForwardedPort[], { address }: ForwardFlags, self: Command) =>
    withSandbox(self, box, async (sandbox, { json, signal }) => {
      const forwards: PortForward[] = [];
      try {
        for (const port of ports) {
          const onError = (error: unknown) =>
            printNote(
              `sandport: port ${port.remote}: ${error instanceof Error ? error.message : String(error)}`,
            );
          const options = { ...port, host: address, signal, onError };
          const forward = await forwardPort(sandbox, options);
          forwards.push(forward);
          const { local } = forward;
          const told = { address, local, remote: port.remote };
          printLine(
            json ? JSON.stringify(told) : `${address}:${local} leads to port ${port.remote}`,
          );
        }
        if (!signal.aborted) await once(signal, 'abort');
        signal.throwIfAborted();
      } finally {
        for (const forward of forwards) await forward[Symbol.asyncDispose]();
      }
    }),
  );
}
