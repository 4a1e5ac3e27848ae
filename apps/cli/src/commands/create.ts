import { type Command, Option } from 'commander';
import { type IdleAction, type Isolation, Sandbox, type SandboxNetwork } from 'sandport';
import { addClientFlags, clientFlags, clientOf } from '../client-flags.ts';
import { interruptible } from '../interrupt.ts';
import { printJson, printLine } from '../output/print.ts';
import { whileWaiting } from '../output/progress.ts';
import { network as parseNetwork } from '../parse/network.ts';
import * as values from '../parse/values.ts';
import { UsageError } from '../usage-error.ts';

interface CreateFlags {
  template?: string;
  name?: string;
  isolation?: Isolation;
  namespace?: string;
  metadata?: Record<string, string>;
  env?: Record<string, string>;
  fromSnapshot?: string;
  diskOnly?: boolean;
  ttl?: number;
  persistent?: boolean;
  idleTimeout?: number;
  idleAction?: IdleAction;
  cpu?: number;
  memory?: number;
  disk?: number;
  pids?: number;
  volume?: values.VolumeFlag[];
  network?: SandboxNetwork;
  bandwidth?: number;
  user?: string;
  workdir?: string;
}

export function addCreate(program: Command): void {
  const command = program
    .command('create')
    .description('make a sandbox and print its name or id')
    .argument('[template]', 'template to start from (default)')
    .option('--template <template>', 'the same as the argument')
    .option('--name <name>', 'name of the sandbox, unique in its namespace')
    .addOption(
      new Option('--isolation <kind>', 'how strong the wall is').choices(['gvisor', 'container']),
    )
    .option('--namespace <namespace>', 'compartment of the sandbox')
    .option('--metadata <key=value>', 'label; can be repeated', values.keyValue)
    .option('--env <key=value>', 'environment of commands; can be repeated', values.keyValue)
    .option('--from-snapshot <snapshot>', 'begin with this snapshot, by id or name')
    .option('--disk-only', 'of the snapshot, leave the processes out')
    .option('--ttl <time>', 'delete it after this time: 90s, 15m, 2h, 1d', values.wholeSeconds)
    .option('--persistent', '--ttl does not delete it')
    .option('--idle-timeout <time>', 'put it away when nobody used it so long', values.wholeSeconds)
    .addOption(
      new Option('--idle-action <action>', 'what that means (hibernate)').choices([
        'kill',
        'hibernate',
      ]),
    )
    .option('--cpu <cores>', 'CPU cores, fractions allowed', values.positiveNumber)
    .option('--memory <size>', 'memory: 512m, 2g', values.mebibytes)
    .option('--disk <size>', 'writable disk: 512m, 2g', values.mebibytes)
    .option('--pids <number>', 'processes and threads at one time', values.positiveInteger)
    .option(
      '--volume <name[:/path][:ro][:size=]>',
      'volume, at /mnt/NAME or the path; can be repeated',
      values.volume,
    )
    .option(
      '--network <none|all|allow=…>',
      'what it may reach (none): allow=HOST,*.DOMAIN,HOST:PORT,NETWORK',
      parseNetwork,
    )
    .option('--bandwidth <mbps>', 'megabits a second in each direction', values.positiveNumber)
    .option('--user <user>', 'user of commands')
    .option('--workdir <dir>', 'directory of commands')
    .addHelpText(
      'after',
      `
Examples:
  sandport create
  sandport create code-interpreter --name crunch --memory 2g --ttl 1h
  sandport create --volume models:ro --env LANG=C.UTF-8 --metadata team=data
  sandport create --volume scratch:/data:size=2g --idle-timeout 10m
  sandport create --network allow=example.com,*.example.org
  sandport create --from-snapshot before-upgrade`,
    );
  addClientFlags(command).action(
    async (operand: string | undefined, flags: CreateFlags, self: Command) => {
      const common = clientFlags(self);
      if (operand !== undefined && flags.template !== undefined) {
        throw new UsageError('The template is given twice.');
      }
      if (flags.bandwidth !== undefined && flags.network === undefined)
        throw new UsageError('--bandwidth needs --network.');
      const template = operand ?? flags.template;
      const { ttl, cpu, memory, disk, pids, volume, name, isolation, namespace } = flags;
      const create = (signal: AbortSignal) =>
        Sandbox.create(
          {
            template,
            name,
            isolation,
            namespace,
            metadata: flags.metadata,
            env: flags.env,
            fromSnapshot: flags.fromSnapshot,
            memory: flags.diskOnly === true ? false : undefined,
            ttlSeconds: ttl,
            persistent: flags.persistent,
            idleTimeoutSeconds: flags.idleTimeout,
            idleAction: flags.idleAction,
            resources: { cpu, memoryMb: memory, diskMb: disk, pids },
            volumes: volume,
            network: flags.network && { ...flags.network, bandwidthMbps: flags.bandwidth },
            user: flags.user,
            workdir: flags.workdir,
            signal,
          },
          clientOf(common),
        );
      const sandbox = await whileWaiting('waiting for the sandbox', () => interruptible(create));
      if (common.json) printJson(sandbox.info);
      else printLine(sandbox.name ?? sandbox.id);
    },
  );
}
