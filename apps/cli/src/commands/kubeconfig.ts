import type { Command } from 'commander';
import type { Client, KubernetesObject } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { type KubeAccess, kubeconfigOf } from '../kubeconfig/access.ts';
import { changeKubeconfig, usersKubeconfig } from '../kubeconfig/kubeconfig-file.ts';
import { mergeText, otherEntries } from '../kubeconfig/merge-text.ts';
import { toText } from '../kubeconfig/to-text.ts';
import { printJson, printNote, writeAll } from '../output/print.ts';
import { contextName, namespaceName } from '../parse/kubernetes-names.ts';
import { UsageError } from '../usage-error.ts';
import { withClient } from './sandbox-action.ts';

interface KubeconfigFlags {
  namespace?: string;
  context: string;
  merge?: boolean;
  use?: boolean;
  output?: string;
  restrict?: boolean;
}

/** What kubectl and other clients of Kubernetes need to reach the daemon. */
export function addKubeconfig(program: Command): void {
  addClientFlags(
    program
      .command('kubeconfig')
      .description('print what kubectl and other clients of Kubernetes need to reach the daemon')
      .option('--namespace <namespace>', 'where they work when they name none', namespaceName)
      .option(
        '--context <name>',
        'name of the context, its cluster and its user',
        contextName,
        'sandport',
      )
      .option(
        '--merge',
        "put it into the user's kubeconfig: the first of $KUBECONFIG, else ~/.kube/config",
      )
      .option('--use', 'with --merge: make it the current context')
      .option('--output <file>', 'write to this file, or merge into it')
      .option('--restrict', 'make a key for that namespace only, and put it in; for administrators')
      .addHelpText(
        'after',
        `
The token in it is the API key that this command itself uses, or the new one of --restrict: keep
the file as you keep a key. Merging replaces entries of the same name and keeps all else; without
--use the current context changes only when there is none.

Examples:
  sandport kubeconfig > kubeconfig && KUBECONFIG=kubeconfig kubectl get sandboxes
  sandport kubeconfig --merge --use
  sandport kubeconfig --namespace ci --restrict --output ci.kubeconfig`,
      ),
  ).action((flags: KubeconfigFlags, self: Command) =>
    withClient(self, async ({ json, client, signal }) => {
      if (flags.use === true && flags.merge !== true)
        throw new UsageError('--use goes with --merge: a printed kubeconfig has one context only.');
      const found = await client.kubernetes({ signal });
      const namespace = chooseNamespace(found, flags.namespace);
      const key = flags.restrict === true ? await newKey(client, namespace) : undefined;
      const access: KubeAccess = {
        name: flags.context,
        server: found.server,
        certificateAuthority: found.certificate_authority,
        token: key?.token ?? client.transport.apiKey,
        namespace,
      };
      try {
        await deliver(access, flags, json);
      } catch (error) {
        await key?.takeBack();
        throw error;
      }
      if (key !== undefined)
        printNote(
          `Key ${key.id} is for the namespace ${namespace} only; sandport key rm ${key.id} ends it.`,
        );
    }),
  );
}

/** @throws Error when the key may not use it */
function chooseNamespace({ namespaces }: KubernetesObject, asked: string | undefined): string {
  if (namespaces === null) return asked ?? 'default';
  const known = namespaces.join(', ');
  if (asked !== undefined && !namespaces.includes(asked))
    throw new Error(`This API key may not use the namespace "${asked}"; it may use: ${known}.`);
  return asked ?? (namespaces.includes('default') ? 'default' : (namespaces[0] ?? 'default'));
}

async function newKey(client: Client, namespace: string) {
  const label = `kubeconfig ${namespace}`;
  const { id, api_key: token } = await client.keys.create({ label, namespaces: [namespace] });
  return { id, token, takeBack: () => client.keys.delete(id) };
}

/** Prints it, or puts it where it was asked for and says so. */
async function deliver(access: KubeAccess, flags: KubeconfigFlags, json: boolean): Promise<void> {
  if (flags.merge === true) return merge(access, flags, json);
  const config = kubeconfigOf(access);
  const text = json ? `${JSON.stringify(config, null, 2)}\n` : toText(config);
  const { output } = flags;
  if (output === undefined) return writeAll(process.stdout, text);
  await changeKubeconfig(output, (before) => {
    const others = otherEntries(before, access.name, output);
    if (others.length > 0)
      throw new Error(
        `${output} is a kubeconfig with other entries (${[...new Set(others)].join(', ')}); add --merge to keep them, or name another file.`,
      );
    return text;
  });
  printNote(`Wrote ${output}: context ${access.name}, namespace ${access.namespace}.`);
}

async function merge(access: KubeAccess, flags: KubeconfigFlags, json: boolean): Promise<void> {
  const file = flags.output ?? usersKubeconfig(process.env);
  let current = '';
  await changeKubeconfig(file, (before) => {
    const merged = mergeText(before, access, { file, use: flags.use });
    current = merged.currentContext;
    return merged.text;
  });
  if (json)
    return printJson({
      file,
      context: access.name,
      namespace: access.namespace,
      current_context: current,
    });
  const used =
    current === access.name
      ? 'It is the current context.'
      : `The current context stays ${current}; add --use to change it.`;
  printNote(
    `Merged the context ${access.name} (namespace ${access.namespace}) into ${file}. ${used}`,
  );
}
