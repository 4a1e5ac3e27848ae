import type { Command } from 'commander';
import { addClientFlags } from '../../client-flags.ts';
import { printJson, printLine } from '../../output/print.ts';
import { printTable } from '../../output/table.ts';
import { formatAge, formatBytes } from '../../output/units.ts';
import { wireJson } from '../../output/wire-json.ts';
import { inSandbox, parseRemoteOrRoot, parseRemotePlace } from '../../parse/copy-place.ts';
import { lifetime, sizeInBytes } from '../../parse/values.ts';
import { withFiles } from './fs-context.ts';

interface CreateLinkFlags {
  upload?: boolean;
  expires?: number;
  maxBytes?: number;
}

export function addFsSignedLink(fs: Command): void {
  const link = fs
    .command('link')
    .description('links that download or upload one file without a key');

  addClientFlags(
    link
      .command('create')
      .description('make a link and print its address, this once')
      .argument('<path>', 'BOX:/path')
      .option('--upload', 'the link writes the file; else it reads it')
      .option('--expires <time>', 'works for this time: 90s, 15m, 2h, up to 7d (1h)', lifetime)
      .option('--max-bytes <size>', 'largest upload', sizeInBytes)
      .addHelpText(
        'after',
        `
Examples:
  curl -O "$(sandport fs link create box:/workspace/report.pdf)"
  curl -T data.csv "$(sandport fs link create --upload box:/workspace/data.csv)"`,
      ),
  ).action(async (text: string, flags: CreateLinkFlags, self: Command) => {
    const place = inSandbox(parseRemotePlace(text));
    await withFiles(self, async (context) => {
      const filesystem = await context.files(place);
      const created = await filesystem.createLink(place.path, {
        method: flags.upload === true ? 'PUT' : 'GET',
        expiresInSeconds: flags.expires,
        maxBytes: flags.maxBytes,
        signal: context.signal,
      });
      if (context.json) return printJson(wireJson(created));
      printLine(created.url);
    });
  });

  addClientFlags(
    link
      .command('ls')
      .alias('list')
      .description('list the links that still work, without their addresses')
      .argument('<sandbox>', 'name or id')
      .addHelpText('after', '\nExample:\n  sandport fs link ls box'),
  ).action(async (box: string, _flags: unknown, self: Command) => {
    const place = inSandbox(parseRemoteOrRoot(box));
    await withFiles(self, async (context) => {
      const { signal } = context;
      const links = await (await context.files(place)).listLinks({ signal });
      if (context.json) return printJson(wireJson(links));
      printTable(
        ['ID', 'METHOD', 'PATH', 'LIMIT', 'EXPIRES IN'],
        links.map((each) => [
          each.id,
          each.method,
          each.path,
          each.maxBytes === undefined ? '-' : formatBytes(each.maxBytes),
          formatAge(each.expiresAt.getTime() - Date.now()),
        ]),
        'No links.',
      );
    });
  });

  addClientFlags(
    link
      .command('revoke')
      .alias('rm')
      .description('make links invalid')
      .argument('<sandbox>', 'name or id')
      .argument('<id...>', 'ids from `fs link ls`')
      .addHelpText('after', '\nExample:\n  sandport fs link revoke box ID'),
  ).action(async (box: string, ids: string[], _flags: unknown, self: Command) => {
    const place = inSandbox(parseRemoteOrRoot(box));
    await withFiles(self, async (context) => {
      const filesystem = await context.files(place);
      for (const id of ids) await filesystem.revokeLink(id, { signal: context.signal });
      if (context.json) printJson(ids);
      else for (const id of ids) printLine(id);
    });
  });
}
