import type { KubeObject, OwnerReference } from '../objects/kube-object.ts';
import { type Resource, type ResourceKey, resourceKey } from '../objects/resource.ts';

/** Where an object is. */
export interface ObjectPlace {
  readonly key: ResourceKey;
  readonly namespace: string;
  readonly name: string;
}

/** What becomes of an object of which owners have gone. */
export type OwnerFate =
  | { readonly type: 'stay' }
  | { readonly type: 'collect' }
  /** Other owners live: only the references that lead nowhere go. */
  | { readonly type: 'trim'; readonly owners: readonly OwnerReference[] };

/**
 * Who owns whom. An owner is in the namespace of what it owns, or in none: a reference into another
 * namespace leads nowhere, so nobody can tie his objects to those of others.
 */
export class Ownership {
  readonly #places = new Map<string, ObjectPlace>();
  readonly #dependents = new Map<string, Set<string>>();
  readonly #kinds: ReadonlySet<string>;

  constructor(resources: readonly Resource[]) {
    this.#kinds = new Set(resources.map(({ group, kind }) => `${group}/${kind}`));
  }

  add(resource: Resource, { metadata }: KubeObject): void {
    const { uid, namespace = '', name, ownerReferences = [] } = metadata;
    if (uid === undefined) return;
    this.#places.set(uid, { key: resourceKey(resource), namespace, name });
    for (const owner of ownerReferences) {
      const dependents = this.#dependents.get(owner.uid);
      if (dependents === undefined) this.#dependents.set(owner.uid, new Set([uid]));
      else dependents.add(uid);
    }
  }

  remove({ metadata: { uid, ownerReferences = [] } }: KubeObject): void {
    if (uid === undefined) return;
    this.#places.delete(uid);
    for (const owner of ownerReferences) {
      const dependents = this.#dependents.get(owner.uid);
      dependents?.delete(uid);
      if (dependents?.size === 0) this.#dependents.delete(owner.uid);
    }
  }

  /** The objects that name it as an owner and may do so. */
  dependents({ metadata: { uid = '', namespace = '' } }: KubeObject): readonly ObjectPlace[] {
    const places = [...(this.#dependents.get(uid) ?? [])].flatMap(
      (each) => this.#places.get(each) ?? [],
    );
    return namespace === '' ? places : places.filter((place) => place.namespace === namespace);
  }

  place(uid: string): ObjectPlace | undefined {
    return this.#places.get(uid);
  }

  fate({ metadata: { namespace = '', ownerReferences = [] } }: KubeObject): OwnerFate {
    if (ownerReferences.length === 0) return { type: 'stay' };
    const owners = ownerReferences.filter((owner) => this.#mayLive(owner, namespace));
    if (owners.length === ownerReferences.length) return { type: 'stay' };
    return owners.length === 0 ? { type: 'collect' } : { type: 'trim', owners };
  }

  /** Of an owner of a kind that is not served here nobody can say that it has gone. */
  #mayLive({ apiVersion, kind, uid }: OwnerReference, namespace: string): boolean {
    const place = this.#places.get(uid);
    if (place !== undefined) return place.namespace === '' || place.namespace === namespace;
    const slash = apiVersion.indexOf('/');
    const group = slash === -1 ? '' : apiVersion.slice(0, slash);
    return !this.#kinds.has(`${group}/${kind}`);
  }
}
