import type { Command } from 'commander';
import { addDaemonFlags } from '../daemon-flags.ts';
import type { SetExitCode } from '../program.ts';

export async function addServe(
  program: Command,
  args: readonly string[],
  setExitCode: SetExitCode,
): Promise<void> {
  const command = program
    .command('serve')
    .description('start the daemon on this machine; needs root')
    .addHelpText(
      'after',
      `
A flag comes before the environment, the environment before the configuration file.
The daemon writes DATA_DIR/client.json with its address and key. With the default data directory
the same goes to the user's configuration, where the command line and the SDKs find it.

Examples:
  sudo sandport serve
  sudo sandport serve --listen 127.0.0.1:0 --data-dir /srv/sandport --isolation container`,
    );
  if (!args.includes('serve')) return;
  await addDaemonFlags(command, async (flags) => {
    const { runServe } = await import('@sandport/daemon');
    setExitCode(await runServe(flags));
  });
}
