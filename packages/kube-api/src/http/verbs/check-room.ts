import { KubeError } from '../../objects/kube-error.ts';
import type { KubeObject } from '../../objects/kube-object.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import type { ResourceTarget } from '../requests/resource-index.ts';

/** Of one resource, in one namespace. */
const maxObjects = 20_000;
/** Of all resources in one namespace, in characters of JSON. */
const maxNamespaceLength = 128 << 20;

/** @throws KubeError `Forbidden` when a namespace is full */
export function checkRoomForObject(store: ObjectStore, target: ResourceTarget): void {
  if (store.count(target.key, target.namespace) < maxObjects) return;
  throw full(target, `there are ${maxObjects} of them`);
}

/** @throws KubeError `Forbidden` when a namespace is full */
export function checkRoomForText(store: ObjectStore, target: ResourceTarget): void {
  if (store.size(target.namespace ?? '') < maxNamespaceLength) return;
  throw full(target, `its objects have ${maxNamespaceLength} characters`);
}

/** @throws KubeError `Forbidden` when a namespace is full, and an object is to become larger */
export function checkRoomForGrowth(
  store: ObjectStore,
  target: ResourceTarget,
  before: KubeObject,
  after: KubeObject,
): void {
  if (store.size(target.namespace ?? '') < maxNamespaceLength) return;
  if (JSON.stringify(after).length > JSON.stringify(before).length) checkRoomForText(store, target);
}

const full = ({ resource, key, namespace }: ResourceTarget, why: string): KubeError =>
  new KubeError(
    'Forbidden',
    `${key} is forbidden: exceeded quota of namespace ${JSON.stringify(namespace ?? '')}: ${why}; delete some first`,
    { group: resource.group, kind: resource.plural },
  );
