import { type Command, Option } from 'commander';
import type { SandboxNetwork, TemplateObject } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { printJson, printLine, printNote } from '../output/print.ts';
import { progressLine } from '../output/progress.ts';
import { network as parseNetwork } from '../parse/network.ts';
import * as values from '../parse/values.ts';
import { UsageError } from '../usage-error.ts';
import { withClient } from './sandbox-action.ts';

interface BuildFlags {
  image?: string;
  credentials?: string;
  insecure?: boolean;
  archive?: string;
  daemonArchive?: string;
  dockerfile?: string;
  packages?: string[];
  fromSandbox?: string;
  description?: string;
  user?: string;
  workdir?: string;
  env?: Record<string, string>;
  cpu?: number;
  memory?: number;
  disk?: number;
  pids?: number;
  network?: SandboxNetwork;
  bandwidth?: number;
  replace?: boolean;
  detach?: boolean;
}

const sources = [
  'image',
  'archive',
  'daemonArchive',
  'dockerfile',
  'packages',
  'fromSandbox',
] as const satisfies readonly (keyof BuildFlags)[];

/** `template build`, also as `template create`. */
export function addTemplateBuild(template: Command): void {
  const command = template
    .command('build')
    .alias('create')
    .description('build a template; its log goes to standard error')
    .argument('<template>', 'name; of one that comes with Sandport no source is needed')
    .option('--image <reference>', 'from an image in a registry')
    .addOption(
      new Option('--credentials <user:password>', 'for the registry').env(
        'SANDPORT_REGISTRY_CREDENTIALS',
      ),
    )
    .option('--insecure', 'speak to the registry without TLS')
    .option(
      '--archive <path>',
      'from `docker save`, an OCI archive or an OCI layout, on this machine',
    )
    .option('--daemon-archive <path>', 'the same on the machine of the daemon')
    .option('--dockerfile <dir>', 'from a directory with a Dockerfile on the machine of the daemon')
    .option('--packages <package...>', 'from Debian packages, beside those of `base`')
    .option('--from-sandbox <sandbox>', 'from the disk of a sandbox')
    .option('--description <text>', 'what it is for')
    .option('--user <user>', 'user of commands (what the source says)')
    .option('--workdir <dir>', 'directory of commands (what the source says)')
    .option('--env <key=value>', 'environment of commands; can be repeated', values.keyValue)
    .option('--cpu <cores>', 'CPU cores of sandboxes that ask for none', values.positiveNumber)
    .option('--memory <size>', 'their memory: 512m, 2g', values.mebibytes)
    .option('--disk <size>', 'their writable disk: 512m, 2g', values.mebibytes)
    .option('--pids <number>', 'their processes and threads', values.positiveInteger)
    .option(
      '--network <none|all|allow=…>',
      'network of sandboxes that ask for none (what their namespace says)',
      parseNetwork,
    )
    .option('--bandwidth <mbps>', 'its megabits a second each way', values.positiveNumber)
    .option('--replace', 'make a new version of a template that is there')
    .option('--detach', 'print the id of the build and do not wait for it')
    .addHelpText(
      'after',
      `
Ctrl-C cancels the build, unless it was detached.

Examples:
  sandport template build code-interpreter
  sandport template build alpine --image docker.io/library/alpine:3.20
  docker save my-app | gzip > app.tar.gz && sandport template build my-app --archive app.tar.gz
  sandport template build tools --packages git jq --network allow=example.com
  sandport template build prepared --from-sandbox box --description "with our tools"`,
    );
  addClientFlags(command).action((name: string, flags: BuildFlags, self: Command) => {
    if (sources.filter((source) => flags[source] !== undefined).length > 1) {
      throw new UsageError('A template is built from one source: give one of the flags only.');
    }
    if (flags.bandwidth !== undefined && flags.network === undefined)
      throw new UsageError('--bandwidth needs --network.');
    return withClient(self, async ({ json, client, signal }) => {
      using progress = progressLine();
      const onProgress = progress.start(flags.archive ?? '');
      const options = { ...buildOptions(flags), signal, onProgress };
      if (flags.detach === true) {
        const build = await client.templates.startBuild(name, options);
        if (json) printJson(build);
        else printLine(build.id);
        return;
      }
      const onLog = (line: string) => {
        progress.clear();
        printNote(line);
      };
      const built: TemplateObject = await client.templates.build(name, { ...options, onLog });
      if (json) printJson(built);
      else printLine(built.name);
    });
  });
}

function buildOptions(flags: BuildFlags) {
  const { image, insecure, dockerfile, packages, fromSandbox, description } = flags;
  const { user, workdir, env, network, bandwidth, replace, cpu, memory, disk, pids } = flags;
  const limits = [cpu, memory, disk, pids].some((limit) => limit !== undefined);
  return {
    image,
    // Other sources have no use for what may stand in the environment.
    credentials: image === undefined ? undefined : flags.credentials,
    insecure,
    archiveFile: flags.archive,
    archive: flags.daemonArchive,
    dockerfile,
    packages,
    fromSandbox,
    description,
    user,
    workdir,
    env,
    resources: limits ? { cpu, memoryMb: memory, diskMb: disk, pids } : undefined,
    network: network && { ...network, bandwidthMbps: bandwidth },
    replace,
  };
}
