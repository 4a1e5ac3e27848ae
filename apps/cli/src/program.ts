import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addAttach } from './commands/attach.ts';
import { addCopy } from './commands/cp.ts';
import { addCreate } from './commands/create.ts';
import { addDiff } from './commands/diff.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEndCommands } from './commands/end-command.ts';
import { addEgress } from './commands/egress.ts';
import { addEvents } from './commands/events.ts';
import { addExec } from './commands/exec.ts';
import { addForks } from './commands/fork.ts';
import { addFs } from './commands/fs.ts';
import { addKey } from './commands/key.ts';
import { addKill } from './commands/kill.ts';
import { addKubeconfig } from './commands/kubeconfig.ts';
import { addLifecycle } from './commands/lifecycle.ts';
import { addLimits } from './commands/limits.ts';
import { addNetwork } from './commands/network.ts';
import { addList } from './commands/ls.ts';
import { addLogs } from './commands/logs.ts';
import { addMetrics } from './commands/metrics.ts';
import { addPool } from './commands/pool.ts';
import { addPortForward } from './commands/port-forward.ts';
import { addPorts } from './commands/ports.ts';
import { addPs } from './commands/ps.ts';
import { addQuota } from './commands/quota.ts';
import { addRunCode } from './commands/run-code.ts';
import { addServe } from './commands/serve.ts';
import { addShell } from './commands/shell.ts';
import { addShow } from './commands/show.ts';
import { addSnapshot } from './commands/snapshot.ts';
import { addSsh } from './commands/ssh.ts';
import { addSshConfig } from './commands/ssh-config.ts';
import { addSshKeys } from './commands/ssh-keys.ts';
import { addStates } from './commands/states.ts';
import { addSync } from './commands/sync.ts';
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
  sandport cp ./project $box:/workspace/      put a directory into it
  sandport exec $box "cd /workspace/project && make"
  sandport shell $box                         work in it
  sandport diff $box /workspace               see what that changed
  sandport cp $box:/workspace/project/out .   fetch what it made
  sandport sync --watch ./project $box:/workspace/project
  sandport hibernate $box                     put it to sleep until the next command
  copy=$(sandport fork $box)                  try something in a copy
  sandport kill $box
${exitCodesHelp}`,
    );
  addClientFlags(program);
  await addServe(program, args, setExitCode);
  await addDoctor(program, args, setExitCode);
  addCreate(program);
  addList(program);
  addShow(program);
  addExec(program, setExitCode);
  addRunCode(program, setExitCode);
  addShell(program, setExitCode);
  addPs(program);
  addLogs(program);
  addAttach(program, setExitCode);
  addEndCommands(program);
  addSsh(program, setExitCode);
  addSshConfig(program);
  addSshKeys(program);
  addCopy(program);
  addSync(program);
  addPorts(program);
  addPortForward(program);
  addDiff(program, setExitCode);
  addFs(program, setExitCode);
  addKill(program, setExitCode);
  addStates(program, setExitCode);
  addForks(program, setExitCode);
  addSnapshot(program);
  addLifecycle(program);
  addLimits(program);
  addNetwork(program);
  addMetrics(program);
  addEvents(program);
  addTemplate(program);
  addVolume(program);
  addPool(program);
  addQuota(program);
  addEgress(program);
  addKey(program);
  addKubeconfig(program);
  addVersion(program);
  return program;
}

function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const version: unknown = Reflect.get(Object(JSON.parse(text)), 'version');
  return String(version);
}
