import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addCopy } from './commands/cp.ts';
import { addCreate } from './commands/create.ts';
import { addDoctor } from './commands/doctor.ts';
import { addExec } from './commands/exec.ts';
import { addKey } from './commands/key.ts';
import { addKill } from './commands/kill.ts';
import { addList } from './commands/ls.ts';
import { addServe } from './commands/serve.ts';
import { addTemplate } from './commands/template.ts';
import { addVersion } from './commands/version.ts';
import { addVolume } from './commands/volume.ts';
import { addClientFlags } from './client-flags.ts';
import { exitCodesHelp } from './exit-codes.ts';

/** Receives the exit code of a command that has one of its own. */
export type SetExitCode = (code: number) => void;

/** The whole command line. `args` decides whether the daemon's options need to be loaded. */
export async function createProgram(
  args: readonly string[],
  setExitCode: SetExitCode,
): Promise<Command> {
  const program = new Command('sandport')
    .description('Runs code in isolated Linux sandboxes and moves files in and out of them.')
    .version(ownVersion(), '-V, --version', 'print the version of this program')
    .enablePositionalOptions()
    .exitOverride()
    .configureHelp({ sortSubcommands: false })
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error:/, 'sandport:')),
    })
    .showHelpAfterError('(add --help for the usage and examples)')
    .addHelpText(
      'after',
      `
Examples:
  sandport serve                              start the daemon (as root)
  box=$(sandport create)                      make a sandbox
  sandport cp data.csv $box:/workspace/       put a file into it
  sandport exec $box "wc -l /workspace/data.csv"
  sandport cp $box:/workspace/data.csv out.csv
  sandport kill $box
${exitCodesHelp}`,
    );
  addClientFlags(program);
  await addServe(program, args, setExitCode);
  await addDoctor(program, args, setExitCode);
  addCreate(program);
  addList(program);
  addExec(program, setExitCode);
  addCopy(program);
  addKill(program, setExitCode);
  addTemplate(program);
  addVolume(program);
  addKey(program);
  addVersion(program);
  return program;
}

function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const version: unknown = Reflect.get(Object(JSON.parse(text)), 'version');
  return String(version);
}
