import type { Command } from 'commander';
import type { SetExitCode } from '../program.ts';
import { addFsCat } from './fs/cat.ts';
import { addFsChmod } from './fs/chmod.ts';
import { addFsChown } from './fs/chown.ts';
import { addFsDiskUsage } from './fs/du.ts';
import { addFsFind } from './fs/find.ts';
import { addFsGrep } from './fs/grep.ts';
import { addFsSignedLink } from './fs/link.ts';
import { addFsLink } from './fs/ln.ts';
import { addFsList } from './fs/ls.ts';
import { addFsMakeDirectory } from './fs/mkdir.ts';
import { addFsCopy, addFsMove } from './fs/mv.ts';
import { addFsReplace } from './fs/replace.ts';
import { addFsRemove } from './fs/rm.ts';
import { addFsStat } from './fs/stat.ts';
import { addFsTouch } from './fs/touch.ts';
import { addFsWatch } from './fs/watch.ts';

/** What people do to files inside a sandbox. It needs no program in the sandbox. */
export function addFs(program: Command, setExitCode: SetExitCode): void {
  const fs = program
    .command('fs')
    .description(
      'look at and change files in a sandbox, even one that runs no commands, or on a volume',
    )
    .addHelpText(
      'after',
      `
Paths are absolute and stand behind the name or id of the sandbox, BOX:/path, or behind the name of
a volume, volume:NAME:/path (volume:NAMESPACE/NAME:/path outside of the namespace "default").

Examples:
  sandport fs ls box:/workspace
  sandport fs find box:/workspace '*.py'
  sandport fs grep TODO box:/workspace
  sandport fs rm -r box:/workspace/build
  sandport fs ls volume:models:/`,
    );
  addFsList(fs, setExitCode);
  addFsStat(fs, setExitCode);
  addFsCat(fs, setExitCode);
  addFsDiskUsage(fs, setExitCode);
  addFsFind(fs);
  addFsGrep(fs, setExitCode);
  addFsReplace(fs, setExitCode);
  addFsMakeDirectory(fs, setExitCode);
  addFsTouch(fs, setExitCode);
  addFsLink(fs);
  addFsMove(fs);
  addFsCopy(fs);
  addFsRemove(fs, setExitCode);
  addFsChmod(fs, setExitCode);
  addFsChown(fs, setExitCode);
  addFsWatch(fs);
  addFsSignedLink(fs);
}
