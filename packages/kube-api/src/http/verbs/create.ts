import { KubeError } from '../../objects/kube-error.ts';
import { resourceKey } from '../../objects/resource.ts';
import { trackUpdate } from '../../managed-fields/track-update.ts';
import { completeObject } from '../../schema/complete-object.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { forbidden } from '../access/authorize.ts';
import type { Caller } from '../caller.ts';
import type { ResourceTarget } from '../requests/resource-index.ts';
import { checkNotThere } from './adopt-object.ts';
import { checkRoomForObject, checkRoomForText } from './check-room.ts';
import { type Storable, storable } from './stored-form.ts';
import type { WriteRequest } from './write-options.ts';

/**
 * Makes an object. The result is in the storage version. `isTracked`: it has its `managedFields`.
 * @throws KubeError
 */
export function createObject(
  store: ObjectStore,
  target: ResourceTarget,
  caller: Caller,
  sent: unknown,
  { dryRun, fieldValidation, manager }: WriteRequest,
  isTracked = false,
): Storable {
  const { resource, key, version, namespace } = target;
  const { object, warnings } = completeObject(resource, version.name, sent, {
    fieldValidation,
    namespace,
  });
  checkNew(target, caller, object.metadata.name, object.metadata.resourceVersion);
  checkNotThere(target, object.metadata.name);
  checkRoomForObject(store, target);
  checkRoomForText(store, target);
  const { status: _, ...withoutStatus } = object;
  const after = version.hasStatus ? withoutStatus : object;
  const change = { resource, versionName: version.name, before: undefined, after, manager };
  const admitted = storable(resource, isTracked ? after : trackUpdate(change), {
    caller,
    before: undefined,
    operation: 'create',
  });
  return {
    object: store.create(key, admitted.object, { dryRun }),
    warnings: [...warnings, ...admitted.warnings],
  };
}

function checkNew(
  { resource, namespace }: ResourceTarget,
  caller: Caller,
  name: string,
  resourceVersion: string | undefined,
): void {
  if (resourceVersion !== undefined && resourceVersion !== '') {
    throw new KubeError('BadRequest', 'resourceVersion should not be set on objects to be created');
  }
  const { namespaces } = caller;
  if (resourceKey(resource) === 'namespaces' && namespaces?.has(name) === false) {
    const attempt = { verb: 'create', resource, namespace, name, subresource: undefined };
    throw forbidden(caller, attempt);
  }
}
