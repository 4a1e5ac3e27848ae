import { KubeError } from '../../objects/kube-error.ts';
import { type Resource, resourceKey } from '../../objects/resource.ts';
import type { Caller } from '../caller.ts';

/** What somebody wants to do. */
export interface Attempt {
  /** As `list`; of streams `create` or `get`. */
  readonly verb: string;
  readonly resource: Pick<Resource, 'group' | 'plural' | 'namespaced'>;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/**
 * What he may see and do it with:
 * - `all` objects that the request names;
 * - those of his `own` namespaces;
 * - `synthetic` ones, which are everybody's, only.
 */
export type Grant = 'all' | 'own' | 'synthetic';

const readVerbs = new Set(['get', 'list', 'watch']);
const sharedKinds = new Set(['services', 'pods', 'endpointslices.discovery.k8s.io']);

/** Undefined: he may not. */
export function grantOf(
  { namespaces }: Caller,
  attempt: Attempt,
  sharedNamespace: string,
): Grant | undefined {
  if (namespaces === undefined) return 'all';
  const { verb, resource, namespace, name } = attempt;
  if (!resource.namespaced) {
    if (resourceKey(resource) !== 'namespaces') return readVerbs.has(verb) ? 'all' : undefined;
    if (name !== undefined && namespaces.has(name)) return 'all';
    if (name === sharedNamespace) return verb === 'get' ? 'synthetic' : undefined;
    // Which one is made, the object says.
    return name === undefined && (readVerbs.has(verb) || verb === 'create') ? 'own' : undefined;
  }
  if (namespace === undefined) return verb === 'list' || verb === 'watch' ? 'own' : undefined;
  if (namespaces.has(namespace)) return 'all';
  return namespace === sharedNamespace && isForAll(attempt) ? 'synthetic' : undefined;
}

function isForAll({ verb, resource, subresource }: Attempt): boolean {
  const key = resourceKey(resource);
  if (subresource === 'portforward') return key === 'pods' && (verb === 'get' || verb === 'create');
  return subresource === undefined && sharedKinds.has(key) && readVerbs.has(verb);
}

/** Says it in the words that users of Kubernetes know. */
export function forbidden(caller: Caller, attempt: Attempt): KubeError {
  const { verb, resource, namespace, name, subresource } = attempt;
  const { group, plural } = resource;
  const what = subresource === undefined ? plural : `${plural}/${subresource}`;
  const which = name === undefined ? '' : ` ${JSON.stringify(name)}`;
  const where =
    namespace === undefined
      ? 'at the cluster scope'
      : `in the namespace ${JSON.stringify(namespace)}`;
  const message = `${resourceKey(resource)}${which} is forbidden: User ${JSON.stringify(caller.name)} cannot ${verb} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}`;
  return new KubeError('Forbidden', message, {
    ...(name === undefined ? {} : { name }),
    group,
    kind: plural,
  });
}
