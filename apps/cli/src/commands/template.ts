import type { Command } from 'commander';
import type { TemplateBuild } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { printFields } from '../output/fields.ts';
import { printJson, printLine, printNote } from '../output/print.ts';
import { printTable } from '../output/table.ts';
import { formatAge, formatBytes } from '../output/units.ts';
import { withClient } from './sandbox-action.ts';
import { addTemplateBuild } from './template-build.ts';

/** What sandboxes start from. */
export function addTemplate(program: Command): void {
  const template = program.command('template').description('what sandboxes start from');
  const add = (name: string, description: string, example: string) =>
    addClientFlags(
      template
        .command(name)
        .description(description)
        .addHelpText('after', `\nExample:\n  sandport template ${example}`),
    );

  add('ls', 'list the templates and their aliases', 'ls')
    .alias('list')
    .action((_flags: unknown, self: Command) =>
      withClient(self, async ({ json, client, signal }) => {
        const templates = await client.templates.list({ signal });
        if (json) return printJson(templates);
        printTable(
          ['NAME', 'STATUS', 'SIZE', 'ALIASES', 'DESCRIPTION'],
          templates.map((each) => [
            each.name,
            each.status,
            each.size_bytes === 0 ? '-' : formatBytes(each.size_bytes),
            each.aliases.join(', ') || '-',
            each.description,
          ]),
          'No templates.',
        );
      }),
    );

  add('show', 'tell all about a template', 'show base')
    .argument('<template>', 'name or alias')
    .action((name: string, _flags: unknown, self: Command) =>
      withClient(self, async ({ json, client, signal }) => {
        const found = await client.templates.get(name, { signal });
        if (json) printJson(found);
        else printFields(found);
      }),
    );

  addTemplateBuild(template);

  add('builds', 'list the builds since the daemon started, newest first', 'builds')
    .argument('[template]', 'only of this template')
    .action((name: string | undefined, _flags: unknown, self: Command) =>
      withClient(self, async ({ json, client, signal }) => {
        const builds = await client.templates.builds({ name, signal });
        if (json) return printJson(builds);
        printTable(
          ['BUILD', 'TEMPLATE', 'STATUS', 'TIME', 'AGE'],
          builds.map(buildRow),
          'No builds.',
        );
      }),
    );

  add('logs', 'print the log of a build, and follow it to its end', 'logs BUILD')
    .argument('<build>', 'id from `template builds`')
    .action((id: string, _flags: unknown, self: Command) =>
      withClient(self, async ({ json, client, signal }) => {
        const log = client.templates.buildLogs(id, { signal });
        for (;;) {
          const { done, value } = await log.next();
          if (done !== true) (json ? printNote : printLine)(value);
          else if (json) return printJson(value);
          else return;
        }
      }),
    );

  add('cancel', 'end a build that is under way; nothing of it stays', 'cancel BUILD')
    .argument('<build>', 'id from `template builds`')
    .action((id: string, _flags: unknown, self: Command) =>
      withClient(self, async ({ json, client, signal }) => {
        await client.templates.cancelBuild(id, { signal });
        if (json) printJson(id);
        else printLine(id);
      }),
    );

  add('rm', 'delete templates; sandboxes that stand on them keep them', 'rm alpine')
    .argument('<template...>', 'names or aliases')
    .action((names: string[], _flags: unknown, self: Command) =>
      withClient(self, async ({ json, client, signal }) => {
        for (const name of names) {
          await client.templates.delete(name, { signal });
          if (!json) printLine(name);
        }
        if (json) printJson(names);
      }),
    );
}

function buildRow({ id, name, status, started_at, ended_at }: TemplateBuild): string[] {
  const begun = Date.parse(started_at);
  const ended = ended_at === undefined ? Date.now() : Date.parse(ended_at);
  return [id, name, status, formatAge(ended - begun), formatAge(Date.now() - begun)];
}
