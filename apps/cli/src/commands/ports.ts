import { type Command, Option } from 'commander';
import type { SandboxPort } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { printJson, printLine } from '../output/print.ts';
import { printTable } from '../output/table.ts';
import { wireJson } from '../output/wire-json.ts';
import { portNumber } from '../parse/port.ts';
import { lifetime, several } from '../parse/values.ts';
import { withSandbox } from './sandbox-action.ts';

interface ExposeFlags {
  label?: string;
  public?: boolean;
}

interface PreviewUrlFlags {
  public?: boolean;
  expires?: number;
  path?: string[];
}

/** Ports of sandboxes that browsers can reach. */
export function addPorts(program: Command): void {
  const ports = program
    .command('ports')
    .description('what listens in a sandbox, and who may reach it from outside');

  addClientFlags(
    ports
      .command('ls')
      .alias('list')
      .description('list the ports that listen, and those that were exposed')
      .argument('<sandbox>', 'name or id')
      .addHelpText('after', '\nExample:\n  sandport ports ls box'),
  ).action((box: string, _flags: unknown, self: Command) =>
    withSandbox(self, box, async (sandbox, { json, signal }) => {
      const found = await sandbox.ports.list({ signal });
      if (json) return printJson(wireJson(found));
      printTable(
        ['PORT', 'LISTENING', 'SOURCE', 'VISIBILITY', 'LABEL', 'ADDRESS'],
        found.map(portRow),
        'Nothing listens there, and nothing was exposed.',
      );
    }),
  );

  addClientFlags(
    ports
      .command('expose')
      .description('give a port an address for browsers, and print it')
      .argument('<sandbox>', 'name or id')
      .argument('<port>', 'on which a web server listens, or will', portNumber)
      .option('--label <text>', 'what it is, for people')
      .option('--public', 'for everybody; else with a key or a link of `sandport preview-url`')
      .addHelpText('after', '\nExample:\n  sandport ports expose box 3000 --public'),
  ).action((box: string, port: number, flags: ExposeFlags, self: Command) =>
    withSandbox(self, box, async (sandbox, { json, signal }) => {
      const visibility = flags.public === true ? 'public' : 'private';
      const exposed = await sandbox.ports.expose(port, { label: flags.label, visibility, signal });
      if (json) printJson(wireJson(exposed));
      else printLine(exposed.previewUrl);
    }),
  );

  addClientFlags(
    ports
      .command('rm')
      .description('take the address of a port away')
      .argument('<sandbox>', 'name or id')
      .argument('<port>', 'that was exposed', portNumber)
      .addHelpText('after', '\nExample:\n  sandport ports rm box 3000'),
  ).action((box: string, port: number, _flags: unknown, self: Command) =>
    withSandbox(self, box, async (sandbox, { json, signal }) => {
      await sandbox.ports.unexpose(port, { signal });
      if (json) printJson(port);
      else printLine(String(port));
    }),
  );

  addPreviewUrl(program);
}

function addPreviewUrl(program: Command): void {
  addClientFlags(
    program
      .command('preview-url')
      .description('print an address for browsers of a web server in a sandbox')
      .argument('<sandbox>', 'name or id')
      .argument('<port>', 'on which it listens', portNumber)
      .addOption(
        new Option('--public', 'for everybody, by exposing the port; else a link').conflicts([
          'expires',
          'path',
        ]),
      )
      .option(
        '--expires <time>',
        'the link works for this time: 90s, 15m, 2h, up to 7d (1h)',
        lifetime,
      )
      .option(
        '--path <path>',
        'the link leads to this path and below only; can be repeated',
        several,
      )
      .addHelpText('after', '\nExample:\n  open "$(sandport preview-url box 3000)"'),
  ).action((box: string, port: number, flags: PreviewUrlFlags, self: Command) =>
    withSandbox(self, box, async (sandbox, { json, signal }) => {
      const { expires: ttlSeconds, path: paths } = flags;
      const isPublic = flags.public === true;
      const url = await sandbox.previewUrl(port, { public: isPublic, ttlSeconds, paths, signal });
      if (json) printJson({ url });
      else printLine(url);
    }),
  );
}

const portRow = (each: SandboxPort): string[] => [
  String(each.port),
  each.listening ? 'yes' : 'no',
  each.source,
  each.visibility,
  each.label ?? '-',
  each.source === 'exposed' ? each.previewUrl : '-',
];
