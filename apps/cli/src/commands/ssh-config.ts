import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { Sandbox } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { printJson, printNote, writeAll } from '../output/print.ts';
import { sshAccess } from '../ssh/access.ts';
import { configText, withInclude } from '../ssh/config-text.ts';
import { readText, sshDirectory, writeText } from '../ssh/files.ts';
import { withClient } from './sandbox-action.ts';

/** What ssh, scp, sftp, rsync and editors need to reach sandboxes. */
export function addSshConfig(program: Command): void {
  addClientFlags(
    program
      .command('ssh-config')
      .description('print what ssh, scp, rsync and editors need to reach sandboxes')
      .argument('[sandbox...]', 'names or ids that get a host of their own, as box.sandport')
      .option('--merge', "have the user's ~/.ssh/config read it")
      .addHelpText(
        'after',
        `
Any sandbox is NAME@sandport then. --merge replaces what it wrote before.

Examples:
  sandport ssh-config --merge && ssh box@sandport
  sandport ssh-config --merge box && scp file box.sandport:
  sandport ssh-config > config && rsync -a -e "ssh -F config" . box@sandport:src/`,
      ),
  ).action((boxes: string[], { merge }: { merge?: boolean }, self: Command) =>
    withClient(self, async ({ json, client, signal }) => {
      const access = await sshAccess(client, signal);
      const sandboxes = await Promise.all(
        boxes.map(async (box) => {
          const { id } = await Sandbox.get(box, client, { signal });
          return { host: `${box}.sandport`, user: id };
        }),
      );
      const text = configText(access, sandboxes);
      if (merge !== true) {
        if (json) return printJson({ ...access, sandboxes });
        return writeAll(process.stdout, text);
      }
      const file = join(await sshDirectory(), 'config');
      const usersFile = join(process.env['HOME'] ?? homedir(), '.ssh', 'config');
      await writeText(file, text);
      await writeText(usersFile, withInclude(await readText(usersFile), file));
      if (json) return printJson({ file, config: usersFile });
      printNote(`${usersFile} reads ${file}: any sandbox is NAME@sandport.`);
    }),
  );
}
