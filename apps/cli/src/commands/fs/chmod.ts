import type { Command } from 'commander';
import { addClientFlags } from '../../client-flags.ts';
import { printJson } from '../../output/print.ts';
import { parseRemotePlace } from '../../parse/copy-place.ts';
import { type ModeChange, modeChange } from '../../parse/mode.ts';
import type { SetExitCode } from '../../program.ts';
import { UsageError } from '../../usage-error.ts';
import { forEachPlace, withFiles } from './fs-context.ts';

export function addFsChmod(fs: Command, setExitCode: SetExitCode): void {
  const command = fs
    .command('chmod')
    .description('set permission bits; a symlink is followed')
    .argument('<mode>', 'octal as 644, or changes as +x or u+rw,go-w', parseMode)
    .argument('<path...>', 'BOX:/path')
    .option('-R, --recursive', 'with all that is below; takes octal bits')
    .addHelpText(
      'after',
      `
Examples:
  sandport fs chmod +x box:/workspace/run.sh
  sandport fs chmod -R 700 box:/workspace/keys`,
    );
  addClientFlags(command).action(
    async (mode: ModeArgument, paths: string[], flags: { recursive?: boolean }, self: Command) => {
      const { change, isOctal } = mode;
      const { recursive = false } = flags;
      if (recursive && !isOctal) {
        throw new UsageError('With -R the mode must be octal, as 755.');
      }
      const places = paths.map(parseRemotePlace);
      await withFiles(self, async (context) => {
        const { signal } = context;
        const results: unknown[] = [];
        await forEachPlace(places, setExitCode, async (place) => {
          const filesystem = await context.files(place);
          const { permissions, isDirectory } = await filesystem.stat(place.path, { signal });
          const bits = change(Number.parseInt(permissions, 8), isDirectory);
          const changed = await filesystem.chmod(place.path, bits, { recursive, signal });
          results.push({ path: place.path, mode: bits.toString(8).padStart(4, '0'), changed });
        });
        if (context.json) printJson(results);
      });
    },
  );
}

interface ModeArgument {
  readonly change: ModeChange;
  readonly isOctal: boolean;
}

const parseMode = (text: string): ModeArgument => ({
  change: modeChange(text),
  isOctal: /^[0-7]+$/.test(text),
});
