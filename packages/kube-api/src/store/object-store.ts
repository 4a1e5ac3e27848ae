import type { KubeObject } from '../objects/kube-object.ts';
import type { Resource, ResourceKey } from '../objects/resource.ts';

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** Something happened to an object. */
export interface StoreChange {
  readonly type: ChangeType;
  readonly resource: Resource;
  /** After the change; of a deleted one the last state, with the revision of its end. */
  readonly object: KubeObject;
  /** Before it; undefined for a new one. */
  readonly before: KubeObject | undefined;
  /** Grows with every change of any object; also the object's `resourceVersion`. */
  readonly revision: number;
}

export interface WriteOptions {
  /** Everything is judged and answered, and nothing is stored. @default false */
  readonly dryRun?: boolean | undefined;
}

export interface UpdateOptions extends WriteOptions {
  /** Only the status (and `managedFields`) is taken from the object; `spec` and `metadata` stay. */
  readonly status?: boolean;
}

export interface RemoveOptions extends WriteOptions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  /** @default 'Background' */
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan' | undefined;
}

/**
 * The objects, in memory and (those of persistent resources) in the table. All calls are
 * synchronous; objects are in their storage version. What the store sees to: `uid`,
 * `resourceVersion`, `generation` (grows with `spec`), `creationTimestamp`, `generateName`,
 * conflicts of `resourceVersion`, finalizers with `deletionTimestamp`, and that objects go with
 * their owners.
 */
export interface ObjectStore {
  readonly resources: readonly Resource[];
  readonly revision: number;
  get(resource: ResourceKey, namespace: string, name: string): KubeObject | undefined;
  /** In the order of namespace and name. `namespace` undefined: of all. */
  list(resource: ResourceKey, namespace?: string): readonly KubeObject[];
  /** How many there are. `namespace` undefined: of all. */
  count(resource: ResourceKey, namespace?: string): number;
  /** How much the objects of a namespace take, of all resources, in characters of JSON. */
  size(namespace: string): number;
  /** @throws KubeError `AlreadyExists` */
  create(resource: ResourceKey, object: KubeObject, options?: WriteOptions): KubeObject;
  /**
   * An object that is as it was is not stored again and gets no new revision.
   * @throws KubeError `NotFound`; `Conflict` when `metadata.resourceVersion` (or `uid`) is given and
   * is not that of the stored object
   */
  update(resource: ResourceKey, object: KubeObject, options?: UpdateOptions): KubeObject;
  /**
   * Removes it, or marks it with `deletionTimestamp` while it has finalizers. The result is what
   * is left or was there last.
   * @throws KubeError `NotFound`, `Conflict`
   */
  remove(
    resource: ResourceKey,
    namespace: string,
    name: string,
    options?: RemoveOptions,
  ): KubeObject;
  /** Called after each change, in order, synchronously. It must not throw. */
  subscribe(listener: (change: StoreChange) => void): Disposable;
  /**
   * What happened to a resource's objects after a revision, in order.
   * @throws KubeError `Expired` when the history does not reach back that far
   */
  changesSince(resource: ResourceKey, revision: number): readonly StoreChange[];
}
