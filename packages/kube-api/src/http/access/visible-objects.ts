import type { KubeObject } from '../../objects/kube-object.ts';
import type { StoreChange } from '../../store/object-store.ts';
import type { ApiContext, Exchange } from '../requests/exchange.ts';
import type { ResourceTarget } from '../requests/resource-index.ts';
import type { Grant } from './authorize.ts';
import { ownNamespaces } from './own-namespaces.ts';

/** The objects that a request may see. */
export interface Visibility {
  /** Of the present, in the order of namespace and name. */
  objects(): readonly KubeObject[];
  /** Those of them that are in the store. */
  stored(): readonly KubeObject[];
  /** Those that are not. */
  synthetic(): readonly KubeObject[];
  /** Whether a change in the store is of an object that the request may see. */
  sees(change: Pick<StoreChange, 'object'>): boolean;
}

export function visibility(
  { store }: Pick<ApiContext, 'store'>,
  { caller }: Pick<Exchange, 'caller'>,
  { resource, key, namespace }: Pick<ResourceTarget, 'resource' | 'key' | 'namespace'>,
  grant: Grant,
): Visibility {
  const own = grant === 'own' ? (caller.namespaces ?? new Set<string>()) : undefined;
  const isOwn = ({ metadata }: KubeObject): boolean => {
    if (own === undefined) return true;
    return own.has(resource.namespaced ? (metadata.namespace ?? '') : metadata.name);
  };
  const spaces = resource.namespaced && own !== undefined ? [...own].sort() : [namespace];
  const visible: Visibility = {
    stored: () => {
      if (grant === 'synthetic') return [];
      return spaces.flatMap((space) => store.list(key, space)).filter(isOwn);
    },
    synthetic: () => {
      const { synthetic } = resource;
      const made = spaces.flatMap((space) => synthetic?.(space) ?? []).filter(isOwn);
      const known = new Set(made.map(placeOf));
      return [
        ...made,
        ...ownNamespaces(resource, caller).filter((each) => !known.has(placeOf(each))),
      ];
    },
    objects: () => {
      const stored = visible.stored();
      const made = visible.synthetic().filter(({ metadata }) => !isStored(metadata));
      return made.length === 0 ? stored : [...made, ...stored].sort(byPlace);
    },
    sees: ({ object }) => {
      if (grant === 'synthetic') return false;
      return (namespace === undefined || object.metadata.namespace === namespace) && isOwn(object);
    },
  };
  const isStored = ({ namespace: space = '', name }: KubeObject['metadata']): boolean =>
    grant !== 'synthetic' && store.get(key, space, name) !== undefined;
  return visible;
}

/** The object of this name that a request may see. */
export function visibleObject(
  { store }: Pick<ApiContext, 'store'>,
  { caller }: Pick<Exchange, 'caller'>,
  { resource, key, namespace = '', name = '' }: ResourceTarget,
  grant: Grant,
): KubeObject | undefined {
  const stored = grant === 'synthetic' ? undefined : store.get(key, namespace, name);
  if (stored !== undefined) return stored;
  const made = resource.synthetic?.(resource.namespaced ? namespace : undefined);
  return [...(made ?? []), ...ownNamespaces(resource, caller)].find(
    ({ metadata }) => metadata.name === name,
  );
}

export const placeOf = ({ metadata }: KubeObject): string =>
  `${metadata.namespace ?? ''}/${metadata.name}`;

/** By namespace, then by name. */
export function byPlace({ metadata: left }: KubeObject, { metadata: right }: KubeObject): number {
  return compare(left.namespace ?? '', right.namespace ?? '') || compare(left.name, right.name);
}

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
