import type { Command } from 'commander';
import { addDaemonFlags } from '../daemon-flags.ts';
import type { SetExitCode } from '../program.ts';

export async function addDoctor(
  program: Command,
  args: readonly string[],
  setExitCode: SetExitCode,
): Promise<void> {
  const command = program
    .command('doctor')
    .description('tell what this machine can do, and how to mend what it cannot')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nThe exit code is 1 when no sandbox can run here.');
  if (!args.includes('doctor')) return;
  await addDaemonFlags(command, async (flags, self) => {
    const { runDoctor } = await import('@sandport/daemon');
    const { json = false } = self.optsWithGlobals<{ json?: boolean }>();
    setExitCode(await runDoctor(flags, { json }));
  });
}
