import { setImmediate as nextTurn } from 'node:timers/promises';
import { KubeError } from '../../objects/kube-error.ts';
import type { KubeObject } from '../../objects/kube-object.ts';
import type { ObjectStore, RemoveOptions } from '../../store/object-store.ts';
import type { Visibility } from '../access/visible-objects.ts';
import type { Caller } from '../caller.ts';
import type { ResourceTarget, ServedResource } from '../requests/resource-index.ts';
import { listObjects } from './list.ts';
import { presentObject } from './update.ts';

/** How many objects are removed in one turn of the event loop. */
const batchSize = 100;

type Body = Readonly<Record<string, unknown>>;

export interface Removed {
  /** Undefined: it has gone. */
  readonly left: KubeObject | undefined;
  /** `Status` of success. */
  readonly status: Body;
}

/** @throws KubeError `NotFound`, `Conflict`, and what admission says */
export function removeObject(
  store: ObjectStore,
  target: ResourceTarget,
  caller: Caller,
  options: RemoveOptions,
): Removed {
  const { resource, key, namespace = '', name = '' } = target;
  const { stored } = presentObject(store, target);
  resource.admit?.(stored, { caller, before: stored, operation: 'delete' });
  const { metadata } = store.remove(key, namespace, name, options);
  const left = options.dryRun === true ? undefined : store.get(key, namespace, name);
  return {
    left: left?.metadata.uid === metadata.uid ? left : undefined,
    status: successStatus(target, name, metadata.uid ?? ''),
  };
}

/**
 * Removes all objects that the query selects; those that others remove meanwhile are no matter.
 * The result is what was there.
 * @throws KubeError
 */
export async function removeObjects(
  store: ObjectStore,
  target: ResourceTarget,
  caller: Caller,
  visibility: Visibility,
  query: URLSearchParams,
  options: RemoveOptions,
): Promise<readonly KubeObject[]> {
  const { resource, key } = target;
  const stored: Visibility = { ...visibility, objects: visibility.stored };
  const { objects } = listObjects(store, key, stored, query);
  for (const [index, object] of objects.entries()) {
    if (index > 0 && index % batchSize === 0) await nextTurn();
    resource.admit?.(object, { caller, before: object, operation: 'delete' });
    const { namespace = '', name } = object.metadata;
    try {
      store.remove(key, namespace, name, options);
    } catch (error) {
      // An object goes with its owner, which may have been earlier in the list.
      if (!(error instanceof KubeError) || error.reason !== 'NotFound') throw error;
    }
  }
  return objects;
}

const successStatus = ({ resource }: ServedResource, name: string, uid: string): Body => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  details: { name, group: resource.group, kind: resource.plural, uid },
});
