import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { addClientFlags } from '../client-flags.ts';
import { printJson, printLine } from '../output/print.ts';
import { printTable } from '../output/table.ts';
import { formatAge } from '../output/units.ts';
import { withClient } from './sandbox-action.ts';

export function addSshKeys(program: Command): void {
  const keys = program
    .command('ssh-keys')
    .description('public keys that log in to sandboxes as this API key');

  addClientFlags(
    keys
      .command('add')
      .description('register a public key')
      .argument('[file]', '- reads the standard input; left out: ~/.ssh/id_ed25519.pub')
      .option('--label <text>', 'whose it is; left out: the comment in the file')
      .addHelpText('after', '\nExample:\n  sandport ssh-keys add ~/.ssh/id_ed25519.pub'),
  ).action((file: string = usualFile(), { label }: { label?: string }, self: Command) =>
    withClient(self, async ({ json, client, signal }) => {
      const line = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
      const added = await client.sshKeys.create(line, { label, signal });
      if (json) printJson(added);
      else printLine(`${added.id} ${added.fingerprint}`);
    }),
  );

  addClientFlags(keys.command('ls').alias('list').description('list the keys')).action(
    (_flags: unknown, self: Command) =>
      withClient(self, async ({ json, client, signal }) => {
        const found = await client.sshKeys.list({ signal });
        if (json) return printJson(found);
        printTable(
          ['ID', 'LABEL', 'TYPE', 'FINGERPRINT', 'API KEY', 'AGE'],
          found.map((each) => [
            ...[each.id, each.label || '-', each.type, each.fingerprint, each.key],
            formatAge(Date.now() - Date.parse(each.created_at)),
          ]),
          'No keys.',
        );
      }),
  );

  addClientFlags(
    keys
      .command('rm')
      .description('take keys back; connections that are open end within seconds')
      .argument('<id...>', 'ids from `ssh-keys ls`')
      .addHelpText('after', '\nExample:\n  sandport ssh-keys rm ID'),
  ).action((ids: string[], _flags: unknown, self: Command) =>
    withClient(self, async ({ json, client, signal }) => {
      for (const id of ids) {
        await client.sshKeys.delete(id, { signal });
        if (!json) printLine(id);
      }
      if (json) printJson(ids);
    }),
  );
}

const usualFile = () => join(process.env['HOME'] ?? homedir(), '.ssh', 'id_ed25519.pub');
