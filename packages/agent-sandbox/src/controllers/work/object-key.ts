import type { KubeObject } from '@sandport/kube-api';

/** Where an object is, as one text. */
export const objectKey = (namespace: string, name: string): string => `${namespace}/${name}`;

export const keyOf = ({ metadata: { namespace = '', name } }: KubeObject): string =>
  objectKey(namespace, name);

export function parseKey(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
