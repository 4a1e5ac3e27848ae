import type { Command } from 'commander';
import { addClientFlags } from '../client-flags.ts';
import { shellWord } from '../output/shell-word.ts';
import type { SetExitCode } from '../program.ts';
import { sshAccess } from '../ssh/access.ts';
import { runProgram } from '../ssh/run-program.ts';
import { withSandbox } from './sandbox-action.ts';

export function addSsh(program: Command, setExitCode: SetExitCode): void {
  addClientFlags(
    program
      .command('ssh')
      .description('log in to a sandbox with the ssh of this machine')
      .argument('<sandbox>', 'name or id')
      .argument('[command...]', 'what to run instead of a shell')
      .option('-t, --terminal', 'give the command a terminal')
      .option(
        '-L <forward>',
        'forward a port of this machine into the sandbox, as 8080:localhost:80',
      )
      .addHelpText(
        'after',
        `
The key of this program is made, and registered with the daemon, the first time. The exit code is
that of the command, and 255 when the connection fails.

Examples:
  sandport ssh box
  sandport ssh box -- uname -a
  sandport ssh -L 8080:localhost:80 box`,
      ),
  ).action((box: string, command: string[], flags: SshFlags, self: Command) =>
    withSandbox(self, box, async (sandbox, { client, signal }) => {
      const { host, port, options } = await sshAccess(client, signal);
      const [only, ...more] = command;
      const line = more.length === 0 ? only : command.map(shellWord).join(' ');
      setExitCode(
        await runProgram('ssh', [
          ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}="${value}"`]),
          ...['-p', String(port)],
          ...(flags.terminal === true ? ['-t'] : []),
          ...(flags.L === undefined ? [] : ['-L', flags.L]),
          ...['-l', sandbox.id, '--', host],
          ...(line === undefined ? [] : [line]),
        ]),
      );
    }),
  );
}

interface SshFlags {
  terminal?: boolean;
  L?: string;
}
