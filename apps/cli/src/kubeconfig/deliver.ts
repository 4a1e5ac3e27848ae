import { printJson, printNote, writeAll } from '../output/print.ts';
import { type KubeAccess, kubeconfigOf } from './access.ts';
import { changeKubeconfig, usersKubeconfig } from './kubeconfig-file.ts';
import { mergeText, otherEntries } from './merge-text.ts';
import { toText } from './to-text.ts';

export interface DeliverOptions {
  /** Into a kubeconfig that is there: `output`, else the user's own. */
  readonly merge?: boolean;
  /** With `merge`: makes it the current context. */
  readonly use?: boolean;
  /** File to write; printed without one. */
  readonly output?: string;
}

/** Prints it, or puts it where it was asked for and says so. */
export async function deliver(
  access: KubeAccess,
  options: DeliverOptions,
  json: boolean,
): Promise<void> {
  if (options.merge === true) return merge(access, options, json);
  const config = kubeconfigOf(access);
  const text = json ? `${JSON.stringify(config, null, 2)}\n` : toText(config);
  const { output } = options;
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

async function merge(access: KubeAccess, options: DeliverOptions, json: boolean): Promise<void> {
  const file = options.output ?? usersKubeconfig(process.env);
  let current = '';
  await changeKubeconfig(file, (before) => {
    const merged = mergeText(before, access, { file, use: options.use });
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
