import { InvalidArgumentError } from 'commander';

/** A namespace, as Kubernetes and the daemon know them. */
export function namespaceName(text: string): string {
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text))
    throw new InvalidArgumentError('A namespace is 1 to 63 of a-z, 0-9 and -, as team-a.');
  return text;
}

/** A name in a kubeconfig. */
export function contextName(text: string): string {
  if (text === '' || text.length > 253 || /[\p{Cc}\s]/u.test(text))
    throw new InvalidArgumentError('A name of a context has no blanks in it.');
  return text;
}
