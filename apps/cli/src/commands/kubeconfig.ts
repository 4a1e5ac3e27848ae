import type { Command } from 'commander';
import type { Client, KubernetesObject } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import type { KubeAccess } from '../kubeconfig/access.ts';
import type { DeliverOptions } from '../kubeconfig/deliver.ts';
import { printNote } from '../output/print.ts';
import { contextName, namespaceName } from '../parse/kubernetes-names.ts';
import { UsageError } from '../usage-error.ts';
import { withClient } from './sandbox-action.ts';

interface KubeconfigFlags extends DeliverOptions {
  readonly namespace?: string;
  readonly context: string;
  readonly restrict?: boolean;
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
        // Loaded here: the reader of YAML would cost every other command a tenth of its start.
        const { deliver } = await import('../kubeconfig/deliver.ts');
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
